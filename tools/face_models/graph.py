"""An ONNX graph under construction, and its file."""

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

# Old enough for every engine, new enough for Clip and Pad to take their limits as inputs.
OPSET = 13
IR_VERSION = 8


class Graph:
    """Nodes in the order they were added; every name is made here and used once.

    The order and the names alone decide the octets of the file: no clock, no random number, no
    path enters it.
    """

    def __init__(self, name):
        self.name = name
        self.nodes = []
        self.constants = []
        self.inputs = []
        self.outputs = []

    def input(self, name, shape):
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return name

    def constant(self, values):
        """Takes numbers in the type they have: float32, or int64 for shapes and paddings."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(self, operator, *inputs, **attributes):
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def output(self, name, value, shape):
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def save(self, path):
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = IR_VERSION
        checker.check_model(model, full_check=True)
        save(model, path)
