"""Our own passes do what the pipeline relies on."""

from __future__ import annotations

import tvm
import tvm_ffi
from tvm import relax, sym, tirx
from tvm.script import tirx as T  # noqa: N812

from tools.compiler.passes.fuse_grid_depth import FuseGridDepth
from tools.compiler.passes.prefix_symbols import PrefixSymbols
from tools.compiler.passes.remove_attribute import RemoveAttribute
from tools.compiler.passes.sort_shape_stores import SortShapeStores


def shape_function(*indices: int) -> tirx.PrimFunc:
    """Returns a function that writes to the shape heap at `indices`, in that order."""

    @T.prim_func(private=True)
    def function(heap: T.Buffer((8,), "int64")):
        heap[0] = T.int64(0)

    store = function.body
    stores = [tirx.BufferStore(store.buffer, tirx.IntImm("int64", i), [i]) for i in indices]
    return function.with_body(tirx.SeqStmt(stores))


def test_shape_stores_are_sorted():
    """Whatever order they came in, the result is the same."""
    results = [
        SortShapeStores()(tvm.IRModule({"shape_func": shape_function(*indices)}))
        for indices in ((5, 2, 7), (2, 7, 5))
    ]
    tvm.ir.assert_structural_equal(*results)
    stores = results[0]["shape_func"].body.seq
    assert [int(store.indices[0]) for store in stores] == [2, 5, 7]


def test_other_functions_keep_their_order():
    """Stores of a kernel may depend on each other."""
    mod = SortShapeStores()(tvm.IRModule({"kernel": shape_function(5, 2)}))
    assert [int(store.indices[0]) for store in mod["kernel"].body.seq] == [5, 2]


def test_prefix_is_on_kernels_and_their_calls():
    """Definition, symbol and reference get it; functions of the byte code do not."""
    builder = relax.BlockBuilder()
    x = relax.Var("x", relax.TensorType([8], "int64"))
    with builder.function("forward", [x]):
        kernel = builder.add_func(shape_function(1, 2), "kernel")
        out = builder.emit(relax.call_tir(kernel, [], relax.TensorType([8], "int64")))
        builder.emit_func_output(out)
    mod = PrefixSymbols("a_")(builder.finalize())
    assert {var.name_hint for var in mod.get_global_vars()} == {"forward", "a_kernel"}
    assert mod["a_kernel"].attrs["global_symbol"] == "a_kernel"
    (binding,) = mod["forward"].body.blocks[0].bindings
    assert binding.value.args[0].name_hint == "a_kernel"


def test_attribute_is_removed_from_kernels():
    """Functions that differ in it alone are equal afterwards."""
    kernel = shape_function(1, 2)
    mod = RemoveAttribute("op_pattern")(tvm.IRModule({"f": kernel.with_attr("op_pattern", 4)}))
    assert "op_pattern" not in mod["f"].attrs


def test_blocks_of_three_dimensions_are_laid_out_in_two():
    """Every block computes what it did: x and z are found again in the new x."""

    @T.prim_func(private=True)
    def function(out: T.Buffer((4, 3, 5), "int32")):
        z = T.launch_thread("blockIdx.z", 5)
        y = T.launch_thread("blockIdx.y", 3)
        x = T.launch_thread("blockIdx.x", 4)
        out[x, y, z] = 1

    mod = FuseGridDepth()(tvm.IRModule({"f": function}))
    launches, stores = {}, []

    def visit(statement):
        if isinstance(statement, tirx.AttrStmt):
            launches[statement.node.thread_tag] = statement
        elif isinstance(statement, tirx.BufferStore):
            stores.append(statement)

    tvm_ffi.structural_walk(mod["f"].body, visit)
    extents = {tag: int(statement.value) for tag, statement in launches.items()}
    assert extents == {"blockIdx.x": 20, "blockIdx.y": 3}
    x, _, z = stores[0].indices
    block = launches["blockIdx.x"].node.var
    values = {(at(x, block, i), at(z, block, i)) for i in range(20)}
    assert values == {(i, j) for i in range(4) for j in range(5)}


def at(expression, variable, value) -> int:
    """Returns the expression's value where the variable has one."""

    def replace(var):
        return tirx.IntImm("int32", value) if var.same_as(variable) else var

    constant = tvm_ffi.structural_map(expression, (tirx.Var, replace))
    return int(sym.Analyzer().simplify(constant))
