"""From TensorFlow Lite to ONNX, for the operators that the networks used here consist of.

TensorFlow Lite lays images out as rows, columns, channels, ONNX as channels, rows, columns. The
image that goes in and what comes out keep the first layout; in between, everything of four
dimensions has the second, and what stands across that border is transposed.
"""

import numpy as np
import tflite

from graph import Graph

ELEMENTS = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
}
OPERATORS = {
    code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)
}
TO_ONNX = (0, 3, 1, 2)
TO_TFLITE = (0, 2, 3, 1)


def convert(octets, name, outputs):
    """Converts the network of a file; `outputs` names its results in the file's order.

    A network made for several images at once is converted for one.
    """
    return Converter(octets, name).convert(outputs)


class Converter:
    def __init__(self, octets, name):
        self.model = tflite.Model.GetRootAsModel(octets, 0)
        self.network = self.model.Subgraphs(0)
        self.graph = Graph(name)
        self.numbers = {}  # of a tensor that is constant, in the layout of the file
        self.values = {}  # of a tensor that is computed, the name in the graph
        for index in range(self.network.TensorsLength()):
            self.read_constant(index)

    def convert(self, outputs):
        image = self.network.Inputs(0)
        size = [1, *self.shape(image)[1:]]
        entered = self.graph.input("image", size)
        self.values[image] = self.graph.add("Transpose", entered, perm=TO_ONNX)
        for index in range(self.network.OperatorsLength()):
            self.convert_operator(self.network.Operators(index))
        for index, name in enumerate(outputs):
            tensor = self.network.Outputs(index)
            shape = self.for_one_image(self.shape(tensor))
            self.graph.output(name, self.in_file_layout(tensor), shape)
        return self.graph

    def convert_operator(self, operator):
        code = self.model.OperatorCodes(operator.OpcodeIndex())
        # Codes above 127 stand in the newer field; the older one has the rest.
        name = OPERATORS[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        inputs = [operator.Inputs(i) for i in range(operator.InputsLength())]
        result = operator.Outputs(0)
        rule = getattr(self, name.lower(), None)
        if rule is None:
            raise SystemExit(f"the converter has no rule for {name}")
        rule(operator, inputs, result)

    # What the file says of a tensor.

    def shape(self, tensor):
        described = self.network.Tensors(tensor)
        return [int(length) for length in described.ShapeAsNumpy()] if described.ShapeLength() else []

    def for_one_image(self, shape):
        several = self.shape(self.network.Inputs(0))[0]
        return [1, *shape[1:]] if shape and shape[0] == several else shape

    def read_constant(self, tensor):
        described = self.network.Tensors(tensor)
        stored = self.model.Buffers(described.Buffer())
        if stored.DataLength():
            flat = np.frombuffer(stored.DataAsNumpy().tobytes(), ELEMENTS[described.Type()])
            self.numbers[tensor] = flat.reshape(self.shape(tensor))

    def real(self, tensor):
        return self.numbers[tensor].astype(np.float32)

    def in_file_layout(self, tensor):
        value = self.values[tensor]
        if len(self.shape(tensor)) != 4:
            return value
        return self.graph.add("Transpose", value, perm=TO_TFLITE)

    # One rule for each operator.

    def dequantize(self, _operator, inputs, result):
        """Weights that are stored with half the bits."""
        self.numbers[result] = self.real(inputs[0])

    def conv_2d(self, operator, inputs, result):
        options = options_of(operator, tflite.Conv2DOptions)
        kernel = self.real(inputs[1]).transpose(TO_ONNX)
        self.convolution(options, inputs, result, kernel, groups=1)

    def depthwise_conv_2d(self, operator, inputs, result):
        options = options_of(operator, tflite.DepthwiseConv2DOptions)
        kernel = self.real(inputs[1]).transpose(3, 0, 1, 2)
        self.convolution(options, inputs, result, kernel, groups=self.shape(inputs[0])[3])

    def convolution(self, options, inputs, result, kernel, groups):
        size = kernel.shape[2:]
        dilations = (options.DilationHFactor(), options.DilationWFactor())
        taken = [self.values[inputs[0]], self.graph.constant(kernel)]
        if len(inputs) > 2 and inputs[2] >= 0:
            taken.append(self.graph.constant(self.real(inputs[2])))
        value = self.graph.add(
            "Conv",
            *taken,
            kernel_shape=size,
            strides=strides_of(options),
            dilations=dilations,
            pads=self.padding(options, inputs[0], size, dilations),
            group=groups,
        )
        self.values[result] = self.activated(value, options)

    def max_pool_2d(self, operator, inputs, result):
        self.pool("MaxPool", operator, inputs, result)

    def average_pool_2d(self, operator, inputs, result):
        self.pool("AveragePool", operator, inputs, result)

    def pool(self, name, operator, inputs, result):
        options = options_of(operator, tflite.Pool2DOptions)
        size = (options.FilterHeight(), options.FilterWidth())
        value = self.graph.add(
            name,
            self.values[inputs[0]],
            kernel_shape=size,
            strides=strides_of(options),
            pads=self.padding(options, inputs[0], size, (1, 1)),
        )
        self.values[result] = self.activated(value, options)

    def add(self, operator, inputs, result):
        self.arithmetic("Add", options_of(operator, tflite.AddOptions), inputs, result)

    def sub(self, operator, inputs, result):
        self.arithmetic("Sub", options_of(operator, tflite.SubOptions), inputs, result)

    def mul(self, operator, inputs, result):
        self.arithmetic("Mul", options_of(operator, tflite.MulOptions), inputs, result)

    def arithmetic(self, name, options, inputs, result):
        dimensions = len(self.shape(result))
        operands = [self.operand(tensor, dimensions) for tensor in inputs]
        self.values[result] = self.activated(self.graph.add(name, *operands), options)

    def operand(self, tensor, dimensions):
        """A value, or a constant brought to the layout of the other operand."""
        if tensor in self.values:
            return self.values[tensor]
        numbers = self.real(tensor)
        if dimensions == 4 and numbers.size > 1:
            numbers = numbers.reshape((1,) * (4 - numbers.ndim) + numbers.shape).transpose(TO_ONNX)
        return self.graph.constant(numbers)

    def relu(self, _operator, inputs, result):
        self.values[result] = self.graph.add("Relu", self.values[inputs[0]])

    def abs(self, _operator, inputs, result):
        self.values[result] = self.graph.add("Abs", self.values[inputs[0]])

    def prelu(self, _operator, inputs, result):
        slopes = self.graph.constant(self.real(inputs[1]).reshape(-1, 1, 1))
        self.values[result] = self.graph.add("PRelu", self.values[inputs[0]], slopes)

    def pad(self, _operator, inputs, result):
        margins = self.numbers[inputs[1]].reshape(4, 2)[list(TO_ONNX)]
        sides = self.graph.constant(margins.T.reshape(-1).astype(np.int64))
        self.values[result] = self.graph.add("Pad", self.values[inputs[0]], sides, mode="constant")

    def concatenation(self, operator, inputs, result):
        dimensions = len(self.shape(result))
        axis = options_of(operator, tflite.ConcatenationOptions).Axis() % dimensions
        if dimensions == 4:
            axis = TO_ONNX.index(axis)
        parts = [self.values[tensor] for tensor in inputs]
        self.values[result] = self.graph.add("Concat", *parts, axis=axis)

    def reshape(self, _operator, inputs, result):
        shape = self.graph.constant(np.array(self.for_one_image(self.shape(result)), np.int64))
        value = self.graph.add("Reshape", self.in_file_layout(inputs[0]), shape)
        if len(self.shape(result)) == 4:
            value = self.graph.add("Transpose", value, perm=TO_ONNX)
        self.values[result] = value

    def resize_bilinear(self, operator, inputs, result):
        options = options_of(operator, tflite.ResizeBilinearOptions)
        _, height, width, _ = self.shape(inputs[0])
        rows, columns = self.numbers[inputs[1]]
        if options.AlignCorners():
            positions = "align_corners"
        else:
            positions = "half_pixel" if options.HalfPixelCenters() else "asymmetric"
        scales = self.graph.constant(np.array([1, 1, rows / height, columns / width], np.float32))
        self.values[result] = self.graph.add(
            "Resize",
            self.values[inputs[0]],
            "",
            scales,
            mode="linear",
            coordinate_transformation_mode=positions,
        )

    # What several rules share.

    def padding(self, options, tensor, size, dilations):
        """Top, left, bottom, right. "Same" puts the odd one to the bottom and the right."""
        if options.Padding() == tflite.Padding.VALID:
            return [0, 0, 0, 0]
        before, after = [], []
        lengths = self.shape(tensor)[1:3]
        for length, kernel, stride, dilation in zip(lengths, size, strides_of(options), dilations):
            steps = -(-length // stride)
            missing = max((steps - 1) * stride + (kernel - 1) * dilation + 1 - length, 0)
            before.append(missing // 2)
            after.append(missing - missing // 2)
        return before + after

    def activated(self, value, options):
        function = options.FusedActivationFunction()
        if function == tflite.ActivationFunctionType.NONE:
            return value
        if function == tflite.ActivationFunctionType.RELU:
            return self.graph.add("Relu", value)
        if function == tflite.ActivationFunctionType.RELU6:
            limits = [self.graph.constant(np.float32(limit)) for limit in (0, 6)]
            return self.graph.add("Clip", value, *limits)
        raise SystemExit(f"the converter has no rule for activation {function}")


def options_of(operator, kind):
    stored = operator.BuiltinOptions()
    options = kind()
    options.Init(stored.Bytes, stored.Pos)
    return options


def strides_of(options):
    return (options.StrideH(), options.StrideW())
