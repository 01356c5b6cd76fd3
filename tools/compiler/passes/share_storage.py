"""Lets tensors that are not needed at the same time share memory, the largest ones first."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import tvm
from tvm import relax, sym, tirx


@tvm.transform.module_pass(opt_level=0, name="ShareStorage")
class ShareStorage:
    """Places the tensors that StaticPlanBlockMemory has placed anew, where that takes less memory.

    That pass takes tensors as they come and enlarges a storage that is too small, so that a wide
    tensor enlarges one storage in one layer and another one in the next. Here the larger tensors
    are placed first, and the others where there is room.

    A result of a function comes first in its storage, because whoever has the result keeps all of
    it.
    """

    def transform_module(
        self, mod: tvm.IRModule, _context: tvm.transform.PassContext
    ) -> tvm.IRModule:
        for var, function in mod.functions_items():
            if isinstance(function, relax.Function):
                tensors = _planned_tensors(function)
                storages = _placed(tensors)
                if sum(each.size for each in storages) < _bytes_before(tensors):
                    mod[var] = _rewritten(function, storages)
        return mod


@dataclasses.dataclass
class _Tensor:
    """A tensor in a storage of a constant size.

    Attributes:
        var: What it is bound to.
        storage: Where it was placed.
        allocation: The call that allocates that.
        place: The device of that, and the kind of memory.
        size: The most bytes that it has.
        first: Number of the binding that allocates it.
        last: Number of the last binding that reads it.
        is_result: Whether the function returns it.
    """

    var: tvm.ir.Var
    storage: tvm.ir.Var
    allocation: relax.Call
    place: tuple[str, str]
    size: int
    first: int
    last: int
    is_result: bool = False

    @property
    def needed(self) -> int:
        """A bit for each binding from the first to the last."""
        return (2 << self.last) - (1 << self.first)


@dataclasses.dataclass
class _Storage:
    """Memory for tensors that are needed one after another, of which the first is the largest."""

    tensors: list[_Tensor]
    needed: int

    @property
    def size(self) -> int:
        return self.tensors[0].size

    def has_room(self, tensor: _Tensor) -> bool:
        return not self.needed & tensor.needed and self.tensors[0].place == tensor.place


def _bindings(function: relax.Function) -> list[relax.Binding]:
    return [binding for block in function.body.blocks for binding in block.bindings]


def _operator(value: tvm.ir.Expr) -> str | None:
    is_called = isinstance(value, relax.Call) and isinstance(value.op, tvm.ir.Op)
    return value.op.name if is_called else None


def _planned_tensors(function: relax.Function) -> list[_Tensor]:
    """Returns the tensors of a function; none where it has branches."""
    tensors: list[_Tensor] = []
    allocations: dict[tvm.ir.Var, tuple[relax.Call, tuple[str, str]]] = {}
    shown: dict[tvm.ir.Var, list[_Tensor]] = {}
    bounds = function.attrs["tir_var_upper_bound"]
    bindings = _bindings(function)
    for number, binding in enumerate(bindings):
        var, value = binding.var, binding.value
        name = _operator(value)
        if isinstance(value, relax.If):
            return []
        if name == "relax.memory.alloc_storage":
            if isinstance(value.args[0].values[0], tirx.IntImm):
                allocations[var] = value, (str(value.args[1]), str(value.args[2]))
        elif name == "relax.memory.alloc_tensor":
            storage = value.args[0]
            if storage in allocations:
                size = _most_bytes(value, bounds)
                tensors.append(_Tensor(var, storage, *allocations[storage], size, number, number))
                shown[var] = tensors[-1:]
        else:
            # Whatever reads tensors may be a view of them.
            used = relax.analysis.free_vars(value)
            shown[var] = [tensor for each in used for tensor in shown.get(each, ())]
            for tensor in shown[var]:
                tensor.last = number
    for each in relax.analysis.free_vars(function.body.body):
        for tensor in shown.get(each, ()):
            tensor.last, tensor.is_result = len(bindings), True
    return tensors


def _most_bytes(tensor: relax.Call, bounds: Mapping[str, int]) -> int:
    product = tvm.DataType(str(tensor.args[3].value)).itemsize
    for size in tensor.args[2].values:
        if isinstance(size, tirx.IntImm):
            product *= int(size)
        else:
            analyzer = sym.Analyzer()
            for var in tirx.analysis.undefined_vars(size):
                analyzer.bind(var, tvm.ir.Range(0, bounds[var.name] + 1))
            product *= analyzer.const_int_bound(size).max_value
    return product


def _placed(tensors: Sequence[_Tensor]) -> list[_Storage]:
    storages: list[_Storage] = []
    for tensor in sorted(tensors, key=lambda each: (-each.size, not each.is_result)):
        smallest = next((each for each in reversed(storages) if each.has_room(tensor)), None)
        if smallest is None or tensor.is_result:
            storages.append(_Storage([tensor], tensor.needed))
        else:
            smallest.tensors.append(tensor)
            smallest.needed |= tensor.needed
    return storages


def _bytes_before(tensors: Sequence[_Tensor]) -> int:
    sizes = {each.storage: int(each.allocation.args[0].values[0]) for each in tensors}
    return sum(sizes.values())


def _rewritten(function: relax.Function, storages: Sequence[_Storage]) -> relax.Function:
    """Returns the function with these storages, each allocated before its first tensor.

    It is normalized, that is every expression has its type: a later pass that added types would
    change the function under the hands of a BlockBuilder, which knows it by its hash.
    """
    storage_of = {tensor.var: storage for storage in storages for tensor in storage.tensors}
    replaced = {tensor.storage for storage in storages for tensor in storage.tensors}
    variables: dict[int, tvm.ir.Var] = {}

    def rewrite(binding: relax.Binding) -> list[relax.Binding]:
        storage = storage_of.get(binding.var)
        if storage is None:
            return [] if binding.var in replaced else [binding]
        result = []
        if id(storage) not in variables:
            allocation = storage.tensors[0].allocation
            arguments = [relax.ShapeExpr([storage.size]), *allocation.args[1:]]
            variable = relax.Var(f"shared{len(variables)}", relax.ObjectType())
            variables[id(storage)] = variable
            call = relax.Call(allocation.op, arguments, allocation.attrs, allocation.ty_args)
            result.append(relax.VarBinding(variable, call))
        old = binding.value
        arguments = [variables[id(storage)], *old.args[1:]]
        call = relax.Call(old.op, arguments, old.attrs, old.ty_args)
        return [*result, relax.VarBinding(binding.var, call)]

    blocks = [
        relax.BindingBlock([new for binding in block.bindings for new in rewrite(binding)])
        for block in function.body.blocks
    ]
    body = relax.SeqExpr(blocks, function.body.body)
    return relax.BlockBuilder().normalize(
        relax.Function(function.params, body, function.ret_ty, function.is_pure, function.attrs)
    )
