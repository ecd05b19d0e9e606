"""From the weights that face-api keeps of dlib's face recognition network to ONNX.

The network is a ResNet of 29 convolutions (dlib, `dnn_face_recognition_ex`): every convolution is
followed by a scale for each channel, which is folded into its kernel here.
"""

import json

import numpy as np

from graph import Graph

SIDE = 150
# Of each stage: its channels, and how many blocks follow the one that halves the image.
STAGES = [(64, "conv64", 3), (128, "conv128", 2), (256, "conv256", 2), (256, "conv256_down_out", 0)]
FIRST_CHANNELS = 32
FIRST_BLOCKS = 3


def convert(weights, manifest):
    return Resnet(read_weights(weights, json.loads(manifest))).convert()


def read_weights(octets, manifest):
    """The tensors by name. Most are stored as one octet for each number, with scale and offset."""
    tensors, position = {}, 0
    for entry in (entry for group in manifest for entry in group["weights"]):
        shape, quantized = entry["shape"], entry.get("quantization")
        kind = np.uint8 if quantized else np.float32
        count = int(np.prod(shape))
        numbers = np.frombuffer(octets, kind, count, position).astype(np.float32)
        if quantized:
            numbers = numbers * np.float32(quantized["scale"]) + np.float32(quantized["min"])
        tensors[entry["name"]] = numbers.reshape(shape)
        position += count * np.dtype(kind).itemsize
    if position != len(octets):
        raise SystemExit("the weights are not those that the manifest describes")
    return tensors


class Resnet:
    def __init__(self, tensors):
        self.tensors = tensors
        self.graph = Graph("matcher_b")

    def convert(self):
        image = self.graph.input("image", [1, SIDE, SIDE, 3])
        value = self.graph.add("Transpose", image, perm=(0, 3, 1, 2))
        value = self.convolution(value, "conv32_down", stride=2, pad=0, relu=True)
        value = self.graph.add("MaxPool", value, kernel_shape=(3, 3), strides=(2, 2))
        side = halved(halved(SIDE, kernel=7), kernel=3)
        for block in range(FIRST_BLOCKS):
            value = self.residual(value, f"conv32_{block + 1}")
        before = FIRST_CHANNELS
        for channels, stage, blocks in STAGES:
            name = f"{stage}_down" if blocks else stage
            value, side = self.halving(value, name, channels - before, side)
            for block in range(blocks):
                value = self.residual(value, f"{stage}_{block + 1}")
            before = channels
        pooled = self.graph.add("Flatten", self.graph.add("GlobalAveragePool", value), axis=1)
        last = self.graph.constant(self.tensors["fc"])
        self.graph.output("template", self.graph.add("MatMul", pooled, last), [1, 128])
        return self.graph

    def convolution(self, value, name, stride, pad, relu):
        scale = self.tensors[f"{name}/scale/weights"]
        kernel = self.tensors[f"{name}/conv/filters"].transpose(3, 2, 0, 1)
        bias = self.tensors[f"{name}/conv/bias"] * scale + self.tensors[f"{name}/scale/biases"]
        value = self.graph.add(
            "Conv",
            value,
            self.graph.constant(kernel * scale[:, None, None, None]),
            self.graph.constant(bias),
            kernel_shape=kernel.shape[2:],
            strides=(stride, stride),
            pads=(pad,) * 4,
        )
        return self.graph.add("Relu", value) if relu else value

    def residual(self, value, name):
        added = self.convolution(value, f"{name}/conv1", stride=1, pad=1, relu=True)
        added = self.convolution(added, f"{name}/conv2", stride=1, pad=1, relu=False)
        return self.graph.add("Relu", self.graph.add("Add", added, value))

    def halving(self, value, name, new_channels, side):
        """A block that halves the image and, where the stage has more channels, adds empty ones.

        The two ways through it differ by a row and a column where the side is even.
        """
        added = self.convolution(value, f"{name}/conv1", stride=2, pad=0, relu=True)
        added = self.convolution(added, f"{name}/conv2", stride=1, pad=1, relu=False)
        kept = self.graph.add("AveragePool", value, kernel_shape=(2, 2), strides=(2, 2))
        missing = side // 2 - halved(side, kernel=3)
        added = self.padded(added, [0, 0, 0, 0, 0, 0, missing, missing])
        kept = self.padded(kept, [0, 0, 0, 0, 0, new_channels, 0, 0])
        return self.graph.add("Relu", self.graph.add("Add", kept, added)), side // 2

    def padded(self, value, margins):
        if not any(margins):
            return value
        sides = self.graph.constant(np.array(margins, np.int64))
        return self.graph.add("Pad", value, sides, mode="constant")


def halved(side, kernel):
    """The side after a convolution or pooling with stride 2 and without padding."""
    return (side - kernel) // 2 + 1
