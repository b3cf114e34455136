/* What Gradio's upload fields lack: a name of each button, a small picture of what was chosen, and the large panel as a
   place to drop files. */
(() => {
  const SIDES = { visible: "Visible", infrared: "Infrared" };
  const INFRARED = /(^|[^a-z])(ir|infrared|thermal|lwir|nir|flir|t)([^a-z]|$)/i;
  const VISIBLE = /(^|[^a-z])(vi|vis|visible|rgb|photo|color|colour|w|v)([^a-z]|$)/i;
  const field = (side) => document.getElementById(side);

  function name(side) {
    for (const button of field(side)?.querySelectorAll("button[aria-label]") || []) {
      const clears = /clear|remove/i.test(button.getAttribute("aria-label"));
      const wanted = clears ? `Clear ${side}` : `${SIDES[side]}: drop a file or choose one`;
      if (button.getAttribute("aria-label") !== wanted) button.setAttribute("aria-label", wanted);
    }
  }

  function picture(side) {
    const link = field(side)?.querySelector(".file-preview a[href]");
    const shown = field(side)?.querySelector(".thumb");
    if (shown && shown.dataset.of !== link?.href) shown.remove();
    if (!link || (shown && shown.dataset.of === link.href)) return;
    const image = new Image();
    image.className = "thumb";
    image.alt = "";
    image.dataset.of = link.href;
    image.onerror = () => { image.hidden = true; };  // 16-bit files, ZIPs and videos
    image.src = link.href;
    field(side).append(image);
  }

  async function put(side, file) {
    const input = () => field(side).querySelector("input[type=file]");
    if (!input()) field(side).querySelector("button[aria-label^='Clear']")?.click();
    for (let tries = 0; !input() && tries < 40; tries++) await new Promise((go) => setTimeout(go, 50));
    const chosen = new DataTransfer();
    chosen.items.add(file);
    input().files = chosen.files;
    input().dispatchEvent(new Event("change", { bubbles: true }));
  }

  async function dropped(files) {
    const taken = (side) => Boolean(field(side).querySelector(".file-preview"));
    if (files.length === 1) {
      const infrared = INFRARED.test(files[0].name) || (taken("visible") && !taken("infrared") && !VISIBLE.test(files[0].name));
      await put(infrared ? "infrared" : "visible", files[0]);
      return;
    }
    const [first, second] = files;
    const turned = INFRARED.test(first.name) || (VISIBLE.test(second.name) && !VISIBLE.test(first.name));
    await put("visible", turned ? second : first);
    await put("infrared", turned ? first : second);
  }

  function drops(event) {
    const panel = event.target.closest?.("#given");
    if (!panel || !event.dataTransfer?.types.includes("Files")) return null;
    event.preventDefault();
    return panel;
  }

  document.addEventListener("dragover", (event) => drops(event)?.classList.add("dropping"));
  document.addEventListener("dragleave", (event) => event.target.closest?.("#given")?.classList.remove("dropping"));
  document.addEventListener("drop", (event) => {
    const panel = drops(event);
    if (!panel) return;
    panel.classList.remove("dropping");
    const files = [...event.dataTransfer.files].slice(0, 2);
    if (files.length) dropped(files);
  });
  const look = () => Object.keys(SIDES).forEach((side) => { name(side); picture(side); });
  new MutationObserver(look).observe(document.documentElement, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["href", "aria-label"],
  });
})();
