"""Templates as the build compiles them: the same text as Jinja's own, in half the time.

Taken out is what costs a hundred thousand pages dearly and one page nothing: a call for each
`record.name`, a new object for each text that is escaped, and the way through `extends`,
`block`, `include` and calls that always give the same, which are settled once when a template
is compiled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from keyword import iskeyword
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import jinja2
import markupsafe
from jinja2 import BytecodeCache, Environment, FileSystemBytecodeCache, Template, Undefined, nodes
from jinja2.bccache import Bucket
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, Macro
from jinja2.utils import missing
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape


def use_quick_code(environment: Environment) -> None:
    """Let an environment compile all its templates into the quicker code."""
    environment.code_generator_class = _Code
    environment.template_class = _Template


def whole_template(environment: Environment, name: str, made_of: str = "") -> Template:
    """Return a template with all that it extends and includes put together.

    A template that calls `super()`, or does something else that is decided only while it is
    rendered, is returned as Jinja has it. `made_of` is a digest of all that is settled in it;
    with it the code is taken from where the environment keeps it (`kept_code`).
    """
    kept = environment.bytecode_cache if made_of else None
    bucket = kept.get_bucket(environment, f"whole {name}", None, made_of) if kept else None
    code = bucket.code if bucket else None
    if code is None:
        tree = _whole(environment, name)
        if tree is None:
            return environment.get_template(name)
        code = environment.compile(tree, name, name)
        if kept and bucket:
            bucket.code = code
            kept.set_bucket(bucket)
    return environment.template_class.from_code(
        environment, code, environment.make_globals(None), None
    )


def kept_code(folder: Path, salt: str) -> BytecodeCache:
    """Return a keeper of compiled templates, in `folder` and in the memory of this process.

    `salt` stands for all that decides, beside a template's own text, what code it becomes.
    Compiling costs each process of a build a second; a site's templates hardly ever change.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _KeptCode(folder, f"{_OWN_CODE} {jinja2.__version__} {salt}")


class _KeptCode(FileSystemBytecodeCache):
    def __init__(self, folder: Path, salt: str) -> None:
        super().__init__(str(folder), "%s.code")
        self._salt = salt

    def get_source_checksum(self, source: str) -> str:
        return super().get_source_checksum(f"{self._salt}\0{source}")

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = _in_memory.get((bucket.key, bucket.checksum))
        if bucket.code is None:
            try:
                super().load_bytecode(bucket)
            except Exception:  # whatever is wrong with a file: it is made anew
                bucket.reset()
            self._remember(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._remember(bucket)
        with suppress(OSError):  # a full disk costs time here, and nothing else
            super().dump_bytecode(bucket)

    @staticmethod
    def _remember(bucket: Bucket) -> None:
        if bucket.code is not None:
            if len(_in_memory) >= _MOST_IN_MEMORY:
                _in_memory.clear()
            _in_memory[bucket.key, bucket.checksum] = bucket.code


_in_memory: dict[tuple[str, str], CodeType] = {}
_MOST_IN_MEMORY = 200
_OWN_CODE = hashlib.sha1(Path(__file__).read_bytes(), usedforsecurity=False).hexdigest()


# The quicker code


class _Code(CodeGenerator):
    """Jinja's compiler, with short ways for what templates do all the time."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._outputs: list[str] = []

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:
        if isinstance(node.node, nodes.Name) and node.node.name == "loop":
            self.visit(node.node, frame)
            self.write(f".{node.attr}")
            return
        # Contexts are dictionaries, whose keys come first; Jinja's own rule would first look
        # for an attribute, fail and catch the failure.
        thing, name = self.temporary_identifier(), repr(node.attr)
        otherwise = f"environment.getattr({thing}, {name})"
        absent = otherwise if hasattr(dict, node.attr) else f"undefined(obj={thing}, name={name})"
        self.write(f"(({thing}[{name}] if {name} in {thing} else {absent}) if ({thing} := ")
        self.visit(node.node, frame)
        self.write(f").__class__ is dict else {otherwise})")

    def visit_CondExpr(self, node: nodes.CondExpr, frame: Frame) -> None:
        # Without an `else` there is nothing: no object need be made that says so.
        if node.expr2 is None and self.environment.undefined is Undefined:
            node.expr2 = nodes.Const("")
        super().visit_CondExpr(node, frame)

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        plain = not (node.dyn_args or node.dyn_kwargs or forward_caller)
        plain = plain and not any(iskeyword(keyword.key) for keyword in node.kwargs)
        method = node.node
        if (
            plain
            and not node.kwargs
            and isinstance(method, nodes.Getattr)
            and isinstance(method.node, nodes.Const)
        ):
            # `'{:,}'.format(n)`: what a constant can do is known.
            self.write(f"({method.node.value!r}).{method.attr}(")
            self._visit_list(node.args, frame)
            self.write(")")
            return
        if not plain or not self._is_escaping(frame) or self.environment.is_async:
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.write("called(context, ")
        self._visit_list([node.node, *node.args], frame)
        for keyword in node.kwargs:
            self.write(f"{keyword.key}=")
            self._visit_list([keyword.value], frame)
        self.write(")")

    def _visit_list(self, expressions: list[nodes.Expr], frame: Frame) -> None:
        for expression in expressions:
            self.visit(expression, frame)
            self.write(", ")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if not self._is_plain_output(frame, finalize):
            super()._output_child_pre(node, frame, finalize)
            return
        text = self.temporary_identifier()
        self._outputs.append(text)
        self.write(f"(quoted({text}) if ({text} := ")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if not self._is_plain_output(frame, finalize):
            super()._output_child_post(node, frame, finalize)
            return
        text = self._outputs.pop()
        self.write(f").__class__ is str else {text} if {text}.__class__ is Markup")
        self.write(f" else escape({text}))")

    def _import_common(self, node: Any, frame: Frame) -> None:
        if node.with_context or not isinstance(node.template, nodes.Const):
            super()._import_common(node, frame)
            return
        self.write(f"imported({node.template.value!r})")

    @staticmethod
    def _is_plain_output(frame: Frame, finalize: Any) -> bool:
        return _Code._is_escaping(frame) and finalize.src is None

    @staticmethod
    def _is_escaping(frame: Frame) -> bool:
        return bool(frame.eval_ctx.autoescape and not frame.eval_ctx.volatile)


class _Template(Template):
    @classmethod
    def from_code(
        cls,
        environment: Environment,
        code: Any,
        globals: Any,
        uptodate: Callable[[], bool] | None = None,
    ) -> Template:
        template = super().from_code(environment, code, globals, uptodate)
        names = template.root_render_func.__globals__
        names["quoted"] = _quoted
        names["called"] = _called
        names["imported"] = _importer(environment)
        return template


def _importer(environment: Environment) -> Callable[[str], Any]:
    modules: dict[str, Any] = {}

    def imported(name: str) -> Any:
        if name not in modules:
            module = modules[name] = environment.get_template(name).module
            for own, value in vars(module).items():
                if value.__class__ is Macro and environment.autoescape is True:
                    setattr(module, own, _quick_macro(value))
        return modules[name]

    return imported


def _called(context: Context, callee: Any, *arguments: Any, **named: Any) -> Any:
    """Call what a template calls: a function at once, without asking how to call it."""
    # Jinja marks in `__dict__` those that want the context; the rest take what they are given.
    if callee.__class__ is FunctionType and not callee.__dict__:
        return callee(*arguments, **named)
    return context.call(callee, *arguments, **named)


def _quick_macro(macro: Macro) -> Any:
    """Return a function that does what the macro does, with its arguments bound by Python."""
    if macro.caller or macro.catch_kwargs or macro.catch_varargs:
        return macro
    body = macro._func
    count = len(macro.arguments)
    own_names = dict(zip(macro.arguments, body.__code__.co_varnames, strict=False))
    filled = FunctionType(
        body.__code__, body.__globals__, body.__name__, (missing,) * count, body.__closure__
    )

    def called(*arguments: Any, **named: Any) -> Any:
        if len(arguments) > count or not named.keys() <= own_names.keys():
            return macro(*arguments, **named)  # which says what is wrong
        if named:
            named = {own_names[name]: value for name, value in named.items()}
        return as_markup(filled(*arguments, **named))

    return called


as_markup: Callable[[str], Markup] = partial(str.__new__, Markup)
"""Says of a text that it is escaped already; `Markup` asks first whether it is more than a text."""


# What escape() does before it makes an object of the result, which output does not need.
_quoted: Callable[[str], str] = getattr(markupsafe, "_escape_inner", escape)


class PageContext(Context):
    """The values of one page beside those of every page, which are not copied for it."""

    def __init__(
        self,
        environment: Environment,
        common: dict[str, Any],
        template: Template,
        values: dict[str, Any],
    ) -> None:
        if template.blocks:
            super().__init__(environment, {**common, **values}, template.name, template.blocks)
            return
        self.parent = common
        self.vars = values.copy()  # a template adds what it imports and sets
        self.environment = environment
        self.eval_ctx = EvalContext(environment, template.name)
        self.exported_vars = set()
        self.globals_keys = set()
        self.name = template.name
        self.blocks = {}


# Putting templates together


class _RuntimeOnly(Exception):
    """Something that is decided only while the template is rendered."""


def _whole(environment: Environment, name: str) -> nodes.Template | None:
    try:
        tree = _parsed(environment, name)
        while _extended(tree):
            tree = _merged(environment, tree)
        _open_blocks(tree)
        _open_includes(environment, tree)
        _settle_calls(environment, tree)
        _Settings(environment, tree).visit(tree)
    except _RuntimeOnly:
        return None
    tree.set_environment(environment)
    return tree


def _parsed(environment: Environment, name: str) -> nodes.Template:
    assert environment.loader is not None
    source, _, _ = environment.loader.get_source(environment, name)
    tree = environment.parse(source, name, name)
    if any(block.required or block.scoped for block in tree.find_all(nodes.Block)):
        raise _RuntimeOnly
    if any(used.name in ("super", "self") for used in tree.find_all(nodes.Name)):
        raise _RuntimeOnly
    return tree


def _extended(tree: nodes.Template) -> nodes.Extends | None:
    return next((node for node in tree.body if isinstance(node, nodes.Extends)), None)


def _constant(expression: nodes.Expr) -> str:
    if not isinstance(expression, nodes.Const) or not isinstance(expression.value, str):
        raise _RuntimeOnly
    return expression.value


def _merged(environment: Environment, child: nodes.Template) -> nodes.Template:
    """Return the template that `child` extends, with the blocks and names of `child`."""
    extends = _extended(child)
    assert extends is not None
    if len(list(child.find_all(nodes.Extends))) > 1:
        raise _RuntimeOnly
    parent = _parsed(environment, _constant(extends.template))
    blocks = {block.name: block for block in child.find_all(nodes.Block)}
    for place in _with_bodies(parent):
        for body in _bodies(place):
            body[:] = [
                blocks.get(one.name, one) if isinstance(one, nodes.Block) else one for one in body
            ]
    if _extended(parent):
        # A block that the parent does not have is one of those above it.
        known_there = {block.name for block in parent.find_all(nodes.Block)}
        parent.body.extend(block for name, block in blocks.items() if name not in known_there)
    # What a template says outside its blocks is not shown; the names that it sets are known.
    kept = (nodes.Import, nodes.FromImport, nodes.Assign, nodes.AssignBlock, nodes.Macro)
    names = [node for node in child.body if isinstance(node, kept)]
    known = (*kept, nodes.Block, nodes.Extends, nodes.Output)
    if not all(isinstance(node, known) for node in child.body):
        raise _RuntimeOnly
    first = 1 if _extended(parent) else 0
    parent.body[first:first] = names
    return parent


def _open_blocks(tree: nodes.Template) -> None:
    """Put the content of each block where the block stands, with names of its own."""
    while any(True for _ in tree.find_all(nodes.Block)):
        for place in _with_bodies(tree):
            for body in _bodies(place):
                body[:] = [
                    nodes.Scope(one.body, lineno=one.lineno)
                    if isinstance(one, nodes.Block)
                    else one
                    for one in body
                ]


def _open_includes(environment: Environment, tree: nodes.Template) -> None:
    while any(True for _ in tree.find_all(nodes.Include)):
        for place in _with_bodies(tree):
            for body in _bodies(place):
                body[:] = [
                    _included(environment, one) if isinstance(one, nodes.Include) else one
                    for one in body
                ]


def _included(environment: Environment, include: nodes.Include) -> nodes.Node:
    if not include.with_context or include.ignore_missing:
        raise _RuntimeOnly
    part = _parsed(environment, _constant(include.template))
    if _extended(part) or next(part.find_all(nodes.Block), None):
        raise _RuntimeOnly
    return nodes.Scope(part.body, lineno=include.lineno)


_SETTLED = ("asset", "part")
"""Functions that give the same for the same arguments as long as the build runs."""


def _settle_calls(environment: Environment, tree: nodes.Template) -> None:
    for output in tree.find_all(nodes.Output):
        output.nodes = [_settled(environment, node) for node in output.nodes]


def _settled(environment: Environment, node: nodes.Expr) -> nodes.Expr:
    if (
        not isinstance(node, nodes.Call)
        or not isinstance(node.node, nodes.Name)
        or node.node.name not in _SETTLED
        or node.kwargs
        or not all(isinstance(argument, nodes.Const) for argument in node.args)
    ):
        return node
    function: Any = environment.globals[node.node.name]
    value = function(*(argument.as_const() for argument in node.args))
    return nodes.TemplateData(str(escape(value)), lineno=node.lineno)


class _Settings(NodeTransformer):
    """Puts the site's settings, which no page changes, into a template as text.

    What depends on them alone is settled then, and what stands beside them is one piece.
    """

    def __init__(self, environment: Environment, tree: nodes.Template) -> None:
        own = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
        self._values = {
            name: value
            for name, value in environment.globals.items()
            if name.isupper() and name not in own and isinstance(value, str | bool | int | None)
        }

    def visit_Name(self, node: nodes.Name) -> nodes.Expr:
        if node.ctx == "load" and node.name in self._values:
            return nodes.Const(self._values[node.name], lineno=node.lineno)
        return node


def _with_bodies(tree: nodes.Node) -> Iterator[nodes.Node]:
    yield tree
    yield from tree.find_all(nodes.Node)


def _bodies(node: nodes.Node) -> Iterator[list[nodes.Node]]:
    for name in ("body", "elif_", "else_"):
        found = getattr(node, name, None)
        if isinstance(found, list):
            yield found
