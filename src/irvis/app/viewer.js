/* <irvis-viewer data="JSON">: pictures of one size under one view. Slider over two of them, or all side by side; zoom
   and place are shared; numbers under the cursor. No library, no request but for the pictures. */
(() => {
  if (customElements.get("irvis-viewer")) return;

  const BODY = `
    <div class="bar">
      <div class="segment" role="group" aria-label="View">
        <button data-mode="slider" aria-pressed="true">Slider</button>
        <button data-mode="grid" aria-pressed="false">Side by side</button>
      </div>
      <div class="which">
        <select class="left" aria-label="Left picture"></select>
        <span aria-hidden="true">|</span>
        <select class="right" aria-label="Right picture"></select>
      </div>
      <div class="segment" role="group" aria-label="Zoom">
        <button data-zoom="out" aria-label="Smaller">−</button>
        <button data-zoom="fit" aria-label="Whole picture"><output>1×</output></button>
        <button data-zoom="in" aria-label="Larger">+</button>
        <button data-zoom="screen" aria-label="Full screen">
          <svg width="14" height="14" viewBox="0 0 14 14" fill="none" stroke="currentColor" stroke-width="1.6">
            <path d="M1 5V1h4M9 1h4v4M13 9v4H9M5 13H1V9"/></svg></button>
      </div>
    </div>
    <div class="panes"></div>
    <div class="readout" aria-live="polite" hidden></div>`;
  const STYLE = `/*STYLE*/`;
  const NEAR = 28, MOST = 64;
  const kept = { mode: "slider", left: "visible" };  // from one result to the next
  const between = (low, x, high) => Math.min(Math.max(x, low), high);

  class Viewer extends HTMLElement {
    static observedAttributes = ["data"];

    attributeChangedCallback(name, before, now) {
      if (this.shadowRoot && before !== now) this.start();
    }

    connectedCallback() {
      if (this.shadowRoot) return;
      this.attachShadow({ mode: "open" });
      this.start();
    }

    start() {
      this.facts = JSON.parse(this.getAttribute("data"));
      this.view = { scale: 1, x: 0.5, y: 0.5 };
      this.split = 0.5;
      this.numbers = null;
      this.fingers = new Map();
      const root = this.shadowRoot;
      root.innerHTML = `<style>${STYLE}</style>${BODY}`;
      this.panes = root.querySelector(".panes");
      this.readout = root.querySelector(".readout");
      root.querySelector('[data-zoom="screen"]').hidden = !document.fullscreenEnabled;
      this.choose();
      this.listen();
      this.lay();
      this.measure();
    }

    disconnectedCallback() {
      if (this.sizes) this.sizes.disconnect();
    }

    find(name) {
      return this.facts.pictures.find((one) => one.name === name);
    }

    /* -------------------------------------------------------------------------------- what is shown */

    choose() {
      const pictures = this.facts.pictures, fused = pictures.slice(2);
      const [left, right] = ["left", "right"].map((side) => this.shadowRoot.querySelector(`.${side}`));
      for (const box of [left, right]) {
        for (const one of pictures) box.add(new Option(one.label, one.name));
        box.addEventListener("change", () => { kept.left = left.value; this.lay(); });
      }
      left.value = this.find(kept.left) ? kept.left : "visible";
      right.value = (fused[0] || pictures[1]).name;
      this.mode = kept.mode;
    }

    lay() {
      const grid = this.mode === "grid";
      const [left, right] = ["left", "right"].map((side) => this.find(this.shadowRoot.querySelector(`.${side}`).value));
      this.shadowRoot.querySelector(".which").hidden = grid;
      for (const button of this.shadowRoot.querySelectorAll("[data-mode]"))
        button.setAttribute("aria-pressed", String(button.dataset.mode === this.mode));
      const many = this.facts.pictures.length;
      this.panes.className = `panes ${this.mode}`;
      this.panes.style.setProperty("--columns", many > 4 ? 3 : many > 2 && many < 4 ? 3 : 2);
      this.panes.style.setProperty("--ratio", this.facts.width / this.facts.height);
      this.panes.replaceChildren(
        ...(grid ? this.facts.pictures.map((one) => this.pane([one])) : [this.pane([right, left])]));
      if (!grid) this.panes.firstChild.append(this.handle());
      this.sizes?.disconnect();
      this.sizes = new ResizeObserver(() => this.place());
      for (const pane of this.panes.children) this.sizes.observe(pane);
      this.wait();
    }

    pane(pictures) {
      const pane = document.createElement("div");
      pane.className = "pane";
      for (const [n, one] of pictures.entries()) {
        const image = new Image();
        image.src = one.address;
        image.alt = one.label;
        image.draggable = false;
        const label = document.createElement("span");
        label.className = `label ${n === 1 || pictures.length === 1 ? "first" : "last"}`;
        label.textContent = one.label;
        pane.append(image, label);
      }
      const mark = document.createElement("i");
      mark.className = "mark";
      mark.hidden = true;
      pane.append(mark);
      return pane;
    }

    handle() {
      const handle = document.createElement("div");
      handle.className = "handle";
      handle.tabIndex = 0;
      for (const [name, value] of Object.entries({
        role: "slider", "aria-label": "Border between the pictures", "aria-valuemin": 0, "aria-valuemax": 100,
      })) handle.setAttribute(name, value);
      handle.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        this.moveSplit(this.split + step);
      });
      return handle;
    }

    async wait() {
      this.removeAttribute("ready");
      const facts = this.facts;
      const images = [...this.panes.querySelectorAll("img")];
      await Promise.allSettled(images.map((image) => image.decode()));
      if (facts !== this.facts) return;
      this.place();
      if (images.every((image) => image.naturalWidth)) this.setAttribute("ready", facts.pictures[0].address);
    }

    /* ------------------------------------------------------------------------------- where things are */

    fit(pane) {
      const { clientWidth: width, clientHeight: height } = pane, ratio = this.facts.width / this.facts.height;
      const wide = Math.min(width, height * ratio);
      return { width, height, wide, high: wide / ratio };
    }

    place() {
      for (const pane of this.panes.children) {
        const { width, height, wide, high } = this.fit(pane), { scale } = this.view;
        this.view.x = this.held(this.view.x, width, wide * scale);
        this.view.y = this.held(this.view.y, height, high * scale);
        const left = width / 2 - this.view.x * wide * scale, top = height / 2 - this.view.y * high * scale;
        const images = pane.querySelectorAll("img");
        for (const image of images) {
          image.style.width = `${wide * scale}px`;
          image.style.height = `${high * scale}px`;
          image.style.transform = `translate(${left}px, ${top}px)`;
          image.classList.toggle("pixels", wide * scale > 3 * this.facts.width);
        }
        if (images.length < 2) continue;
        const cut = between(0, left + wide * scale - this.split * width, wide * scale);
        images[1].style.clipPath = `inset(0 ${cut}px 0 0)`;
        const handle = pane.querySelector(".handle");
        handle.style.left = `${this.split * width}px`;
        handle.setAttribute("aria-valuenow", Math.round(100 * this.split));
      }
      const { scale } = this.view;
      this.shadowRoot.querySelector("output").textContent = `${scale < 10 ? +scale.toFixed(1) : Math.round(scale)}×`;
      this.panes.classList.toggle("zoomed", scale > 1);
    }

    held(middle, room, length) {
      return length <= room ? 0.5 : between(room / 2 / length, middle, 1 - room / 2 / length);
    }

    zoom(factor, pane, at) {
      const { width, height, wide, high } = this.fit(pane), before = this.view.scale;
      const scale = between(1, before * factor, MOST), from = at || { x: width / 2, y: height / 2 };
      const dx = from.x - width / 2, dy = from.y - height / 2;
      this.view.x += (dx / wide) * (1 / before - 1 / scale);
      this.view.y += (dy / high) * (1 / before - 1 / scale);
      this.view.scale = scale;
      this.place();
    }

    moveSplit(share) {
      this.split = between(0, share, 1);
      this.place();
    }

    pan(pane, dx, dy) {
      const { wide, high } = this.fit(pane);
      this.view.x -= dx / (wide * this.view.scale);
      this.view.y -= dy / (high * this.view.scale);
      this.place();
    }

    /* -------------------------------------------------------------------------- mouse, fingers, keys */

    listen() {
      this.shadowRoot.querySelector(".bar").addEventListener("click", (event) => this.pressed(event.target.closest("button")));
      const on = (name, act, options) => this.panes.addEventListener(name, act, options);
      on("pointerdown", (event) => this.down(event));
      on("pointermove", (event) => this.moved(event));
      for (const name of ["pointerup", "pointercancel"]) on(name, (event) => this.fingers.delete(event.pointerId));
      on("pointerleave", (event) => event.pointerType === "mouse" && this.tell(null));
      on("dblclick", (event) => this.twice(event));
      on("wheel", (event) => this.wheel(event), { passive: false });
    }

    pressed(button) {
      if (!button) return;
      const { mode, zoom } = button.dataset;
      if (mode) { this.mode = kept.mode = mode; this.lay(); return; }
      if (zoom === "screen") {
        if (document.fullscreenElement) document.exitFullscreen(); else this.requestFullscreen?.();
        return;
      }
      if (zoom === "fit") this.view = { scale: 1, x: 0.5, y: 0.5 };
      this.zoom({ in: 1.5, out: 1 / 1.5, fit: 1 }[zoom], this.panes.firstChild);
    }

    at(event) {
      const pane = event.target.closest?.(".pane");
      if (!pane) return null;
      const box = pane.getBoundingClientRect();
      return { pane, x: event.clientX - box.left, y: event.clientY - box.top, width: box.width };
    }

    down(event) {
      const at = this.at(event);
      if (!at || event.button > 0) return;
      event.target.setPointerCapture?.(event.pointerId);
      const near = Math.abs(at.x - this.split * at.width) < NEAR;
      const slides = this.mode === "slider" && (near || this.view.scale === 1);
      this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY, slides, pane: at.pane });
      this.tell(at);
    }

    moved(event) {
      const finger = this.fingers.get(event.pointerId);
      if (!finger) { this.tell(this.at(event)); return; }
      const box = finger.pane.getBoundingClientRect();
      const dx = event.clientX - finger.x, dy = event.clientY - finger.y;
      if (this.fingers.size > 1) this.pinch(event, finger, box);
      else if (finger.slides) this.moveSplit((event.clientX - box.left) / box.width);
      else this.pan(finger.pane, dx, dy);
      finger.x = event.clientX;
      finger.y = event.clientY;
      this.tell({ pane: finger.pane, x: event.clientX - box.left, y: event.clientY - box.top });
    }

    pinch(event, finger, box) {
      const other = [...this.fingers.values()].find((one) => one !== finger);
      const span = (x, y) => Math.max(1, Math.hypot(x - other.x, y - other.y));
      const factor = span(event.clientX, event.clientY) / span(finger.x, finger.y);
      const middle = { x: (event.clientX + other.x) / 2 - box.left, y: (event.clientY + other.y) / 2 - box.top };
      this.pan(finger.pane, (event.clientX - finger.x) / 2, (event.clientY - finger.y) / 2);
      this.zoom(factor, finger.pane, middle);
    }

    twice(event) {
      const at = this.at(event);
      if (!at) return;
      if (this.view.scale > 1) this.view = { scale: 1, x: 0.5, y: 0.5 };
      this.zoom(this.view.scale > 1 ? 1 : 3, at.pane, at);
    }

    wheel(event) {
      const at = this.at(event);
      if (!at || !(event.ctrlKey || event.metaKey || this.view.scale > 1)) return;
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 300), at.pane, at);
    }

    /* ------------------------------------------------------------------------- numbers under the cursor */

    async measure() {
      const facts = this.facts;
      this.removeAttribute("measured");
      if (!facts.thermal) return;
      const answer = await fetch(facts.thermal.address);
      if (!answer.ok || facts !== this.facts) return;
      this.numbers = new Float32Array(await answer.arrayBuffer());
      this.setAttribute("measured", "");
    }

    tell(at) {
      const marks = this.panes.querySelectorAll(".mark");
      const place = at && this.pixel(at);
      this.readout.hidden = !place;
      for (const mark of marks) mark.hidden = !place || this.mode === "slider";
      if (!place) return;
      this.readout.textContent = `${place.x}, ${place.y}${this.degrees(place)}`;
      for (const mark of marks) {
        mark.style.left = `${at.x}px`;
        mark.style.top = `${at.y}px`;
      }
    }

    pixel({ pane, x, y }) {
      const { width, height, wide, high } = this.fit(pane), { scale } = this.view;
      const across = this.view.x + (x - width / 2) / (wide * scale), down = this.view.y + (y - height / 2) / (high * scale);
      if (across < 0 || across >= 1 || down < 0 || down >= 1) return null;
      return { x: Math.floor(across * this.facts.width), y: Math.floor(down * this.facts.height), across, down };
    }

    degrees({ across, down }) {
      const thermal = this.facts.thermal;
      if (!this.numbers) return "";
      const column = Math.floor(across * thermal.width), row = Math.floor(down * thermal.height);
      const value = this.numbers[row * thermal.width + column];
      if (Number.isNaN(value)) return " · nothing measured";
      return thermal.unit === "celsius" ? ` · ${value.toFixed(1)} °C` : ` · ${Math.round(value)} counts`;
    }
  }
  customElements.define("irvis-viewer", Viewer);
})();
