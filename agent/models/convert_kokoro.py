"""Converts the int8 export of Kokoro to two halves whose convolutions are float32: the same voice, sooner.

The half that leads from text to frames needs all of a sentence, and a twentieth of the time. The other makes
frames sound, and may be given a part of them.

The export quantises what goes into each convolution while it speaks, and onnxruntime's integer convolution is
no faster. Beside that, on x86 a convolution over an image of one row is faster by a quarter than one over a
sequence, and operators that the export spells out are taken together. Nothing is approximated.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from agent.models.onnx_graph import Graph, attributes, other_input
from agent.models.tensor_file import Progress

# What the halves hand over: (1, 512, frames), (1, 2 * frames) and (1, 2 * frames).
_FRAMES, _PITCH, _ENERGY = (f"/encoder/{name}_output_0" for name in ("MatMul_1", "Reshape", "Reshape_1"))
_DURATIONS = "/encoder/Clip_output_0"
_ROW_AXIS, _FLAT = "row_axis", "flat"


def convert_kokoro(source: Path, target: Path, progress: Progress) -> None:
    """Write text.onnx and audio.onnx into `target` from the folder `source`, and the other files as they are.

    text.onnx makes the frames, their pitch and energy, and how many each phoneme has. audio.onnx takes the
    first three and the style. Raises ValueError for another export.
    """
    graph = Graph(source / "model.onnx")
    if not {_FRAMES, _PITCH, _ENERGY, _DURATIONS} <= graph.maker.keys():
        raise ValueError(f"{source} is not an export of Kokoro that can be split")
    graph.add_constant(_ROW_AXIS, np.array([2], np.int64))
    graph.add_constant(_FLAT, np.array([-1], np.int64))
    stretched: dict[str, NDArray[Any]] = {}
    size = (source / "model.onnx").stat().st_size
    for done, node in enumerate(graph.nodes, 1):
        if node.op_type == "Div":
            stretched |= _normalised(graph, node)
        elif node.op_type == "ConvInteger":
            _unquantise(graph, node, stretched)
        progress(size * done // len(graph.nodes), size)
    graph.save(target / "text.onnx", outputs=[_FRAMES, _PITCH, _ENERGY, _DURATIONS])
    graph.save(target / "audio.onnx", inputs=[_FRAMES, _PITCH, _ENERGY, "style"])
    for name in ("voices.npz", "vocab.json"):
        shutil.copyfile(source / name, target / name)


def _normalised(graph: Graph, node: onnx.NodeProto) -> dict[str, NDArray[Any]]:
    """(x - mean) / sqrt(variance + epsilon), times a scale, plus a shift, as one InstanceNormalization.

    Where x + sin(a x)^2 / a follows, what is made is `a` times that, and `a` (1, channels, 1) is given by the
    name of what is made.
    """
    difference, deviation = (graph.maker.get(name) for name in node.input)
    if difference is None or deviation is None or (difference.op_type, deviation.op_type) != ("Sub", "Sqrt"):
        return {}
    (epsilon,) = (name for name in graph.maker[deviation.input[0]].input if graph.is_constant(name))
    found: dict[str, NDArray[Any]] = {}
    for scaling in graph.users(node.output[0]):
        shifting = graph.user(scaling.output[0])
        out = shifting.output[0]
        parts = [other_input(scaling, node.output[0]), other_input(shifting, scaling.output[0])]
        nodes: list[onnx.NodeProto] = []
        curve = _curve(graph, out)
        if curve is not None:
            steepness, bent = curve
            nodes += [helper.make_node("Mul", [part, steepness], [f"{part}_steep"]) for part in parts]
            parts = [f"{part}_steep" for part in parts]
            sine, square = f"{out}_sine", f"{out}_square"
            bend = [
                helper.make_node("Sin", [out], [sine]),
                helper.make_node("Mul", [sine, sine], [square]),
                helper.make_node("Add", [out, square], bent.output),
            ]
            graph.put(bend, bent)
            found[bent.output[0]] = graph.constant(steepness)
        nodes += [helper.make_node("Reshape", [part, _FLAT], [f"{part}_flat"]) for part in parts]
        inputs = [difference.input[0], *(f"{part}_flat" for part in parts)]
        small = float(graph.constant(epsilon))
        nodes.append(helper.make_node("InstanceNormalization", inputs, [out], epsilon=small))
        graph.put(nodes, shifting)
    return found


def _curve(graph: Graph, name: str) -> tuple[str, onnx.NodeProto] | None:
    """The constant a, and the Add, of x + sin(a x)^2 / a: x is `name`, and a convolution reads the result."""
    readers = {reader.op_type: reader for reader in graph.users(name)}
    if set(readers) != {"Mul", "Add"}:
        return None
    steepness = other_input(readers["Mul"], name)
    sine = graph.user(readers["Mul"].output[0])
    if sine.op_type != "Sin" or not graph.is_constant(steepness):
        return None
    (reader,) = graph.users(readers["Add"].output[0])
    return (steepness, readers["Add"]) if reader.op_type == "DynamicQuantizeLinear" else None


def _unquantise(graph: Graph, node: onnx.NodeProto, stretched: dict[str, NDArray[Any]]) -> None:
    """DynamicQuantizeLinear, ConvInteger, (Add,) Cast, Mul as a float32 Conv over one row.

    `stretched`: the factors by which inputs are too large for the weights as they are, by name.
    """
    quantised, weight, _, zero = node.input
    following = graph.user(node.output[0])
    bias: list[str] = []
    if following.op_type == "Add":  # the bias, quantised while it speaks
        name = other_input(following, node.output[0])
        while not graph.is_constant(name):
            name = graph.maker[name].input[0]
        bias.append(name)
        following = graph.user(following.output[0])
    scaled = graph.user(following.output[0])
    scale = graph.maker[other_input(scaled, following.output[0])].input[1]
    values = (graph.constant(weight).astype(np.float32) - graph.constant(zero)) * graph.constant(scale)
    given = graph.maker[quantised].input[0]
    values /= stretched.get(given, np.float32(1))
    row = attributes(node)
    row |= {name: [1, *row[name]] for name in ("kernel_shape", "strides", "dilations")}
    row["pads"] = [0, row["pads"][0], 0, row["pads"][1]]
    out = scaled.output[0]
    inputs = [f"{out}_in", graph.add_constant(f"{out}_weight", values[:, :, None, :]), *bias]
    nodes = [
        helper.make_node("Unsqueeze", [given, _ROW_AXIS], [f"{out}_in"]),
        helper.make_node("Conv", inputs, [f"{out}_row"], **row),
        helper.make_node("Squeeze", [f"{out}_row", _ROW_AXIS], [out]),
    ]
    graph.put(nodes, scaled)
