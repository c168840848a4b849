"""An ONNX graph while some of its nodes are put in place of others. Used by the converters of voices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper


class Graph:
    """The nodes of the model in a file, by what they make and who reads it."""

    def __init__(self, file: Path) -> None:
        """Raises what `onnx.load` does."""
        self._model = onnx.load(file)
        graph = self._model.graph
        self.nodes: Sequence[onnx.NodeProto] = list(graph.node)
        self.maker = {output: node for node in self.nodes for output in node.output}
        self._users: defaultdict[str, list[onnx.NodeProto]] = defaultdict(list)
        for node in self.nodes:
            for name in node.input:
                self._users[name].append(node)
        self._constants = {tensor.name: tensor for tensor in graph.initializer}
        self._instead: dict[str, Sequence[onnx.NodeProto]] = {}

    def is_constant(self, name: str) -> bool:
        return name in self._constants

    def constant(self, name: str) -> NDArray[Any]:
        return numpy_helper.to_array(self._constants[name])

    def add_constant(self, name: str, values: NDArray[Any]) -> str:
        """Gives the name."""
        self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def users(self, name: str) -> Sequence[onnx.NodeProto]:
        """Who reads the value `name`."""
        return self._users[name]

    def user(self, name: str) -> onnx.NodeProto:
        """The only one who reads it; raises ValueError when there are more."""
        (user,) = self._users[name]
        return user

    def put(self, nodes: Sequence[onnx.NodeProto], instead_of: onnx.NodeProto) -> None:
        """`nodes`, the last of which makes what `instead_of` did, in that one's place."""
        self._instead[instead_of.output[0]] = nodes

    def save(self, file: Path, inputs: Iterable[str] = (), outputs: Iterable[str] = ()) -> None:
        """Write what leads from `inputs` to `outputs` (of the model where there are none), and nothing else.

        Inputs and outputs that are not the model's are float32 of any shape.
        """
        graph = self._model.graph
        wanted_inputs = [_value(name) for name in inputs] or list(graph.input)
        wanted_outputs = [_value(name) for name in outputs] or list(graph.output)
        given = {value.name for value in wanted_inputs}
        needed = {value.name for value in wanted_outputs}
        kept: list[onnx.NodeProto] = []
        placed = [new for node in self.nodes for new in self._instead.get(node.output[0], (node,))]
        for node in reversed(placed):
            if needed.intersection(node.output) - given:
                kept.append(node)
                needed.update(node.input)
        part = helper.make_graph(
            kept[::-1],
            graph.name,
            wanted_inputs,
            wanted_outputs,
            [tensor for name, tensor in self._constants.items() if name in needed],
        )
        made = helper.make_model(
            part, opset_imports=self._model.opset_import, ir_version=self._model.ir_version
        )
        onnx.save(made, file)


def other_input(node: onnx.NodeProto, name: str) -> str:
    """The input of a node with two that is not `name`."""
    (other,) = (one for one in node.input if one != name)
    return other


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """The attributes of a node by name."""
    return {one.name: helper.get_attribute_value(one) for one in node.attribute}


def _value(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
