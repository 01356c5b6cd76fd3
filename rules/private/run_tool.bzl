"""How every action of rules_mlc runs a Python tool."""

load("//rules/private/providers:python_info.bzl", "site_path")

PYTHON_TOOLCHAIN = "//rules/toolchains:mlc_python"
COMPILER_TOOLCHAIN = "//rules/toolchains:mlc_compiler"

# -s -S: only the declared packages are importable. -B: a sandbox may not write byte code.
PYTHON_FLAGS = ["-s", "-S", "-B"]

# The whole environment of an action; nothing comes from the machine's. TVM asks for a home directory, which a user of
# a container need not have; it is not written to.
_ENV = {
    "HOME": "/nonexistent",
    "LC_ALL": "C.UTF-8",
    "PYTHONHASHSEED": "0",
}

# Each request is a process of its own, so it may be cancelled.
_WORKER = {
    "requires-worker-protocol": "json",
    "supports-worker-cancellation": "1",
    "supports-workers": "1",

    # One worker for all the commands of a tool.
    "worker-key-mnemonic": "Mlc",
}

# One worker for all requests of a time.
_MULTIPLEX = {"supports-multiplex-workers": "1"}

# One worker for each request of a time, in a sandbox, where mapped paths exist: Bazel 7.7 removes the sandboxes of all
# requests of a multiplex worker with that of any. mlc.bazelrc sets --worker_sandboxing beside mapped_compiles.
_MAPPED = {"supports-path-mapping": "1"}

def _resources(_os, _input_count):
    # One thread; 25 MB at the peak, 80 MB where libraries are read as a whole.
    return {"cpu": 1, "memory": 100}

def python_of(ctx):
    """The Python environment of the toolchain, for every tool but a compiler.

    Args:
      ctx: The rule context; the rule names PYTHON_TOOLCHAIN.

    Returns:
      MlcPythonInfo.
    """
    return ctx.toolchains[PYTHON_TOOLCHAIN].python

def run_tool(
        ctx,
        *,
        tool,
        python,
        arguments,
        inputs,
        outputs,
        mnemonic,
        progress_message,
        tools = None,
        resource_set = _resources,
        unused_inputs_list = None,
        execution_requirements = None,
        weights = False,
        shell_env = False,
        canonical = False):
    """Registers an action that runs a Python tool on declared inputs only.

    Args:
      ctx: The rule context.
      tool: MlcToolInfo of the tool.
      python: MlcPythonInfo to run it in.
      arguments: list[Args]; a persistent worker is started with all but the last, which is each request's.
      inputs: depset[File] or list[File] the tool reads.
      outputs: list[File] the tool writes.
      mnemonic: The action's mnemonic, such as MlcCompile.
      progress_message: What Bazel shows; names %{label}.
      tools: depset[File] of other programs the tool runs.
      resource_set: A function that says what the action needs of the machine, if it is more or less than most need.
      unused_inputs_list: File that lists inputs whose change does not ask for the action anew.
      execution_requirements: dict; if not given, the action sees no network.
      weights: Whether the tool reads or writes weights. It runs where they are: moving them to another machine costs more.
      shell_env: Whether the tool gets the variables of `--action_env`, for programs of the machine; then no worker runs it.
      canonical: Whether the action is the same for every target that asks for it, but for the configuration in its paths.
    """
    command = ctx.actions.args()
    command.add_all(PYTHON_FLAGS)
    command.add(tool.runner)
    command.add(site_path(python, python.stamp.path) if tool.packages else "")
    command.add(tool.module)

    mapped = canonical and tool.mapped_compiles
    execution_requirements = execution_requirements or {"block-network": "1"}
    if weights:
        execution_requirements = execution_requirements | {"no-remote-exec": "1"}
    if tool.persistent_worker and not shell_env:
        execution_requirements = execution_requirements | _WORKER | ({} if mapped else _MULTIPLEX)
    if mapped:
        execution_requirements = execution_requirements | _MAPPED
    requests = []

    # In a file without a worker, too: the action is the same one.
    if not shell_env and not _in_directory_of(ctx.label, outputs[0]):
        arguments[-1].use_param_file("@%s", use_always = True)
    elif not shell_env:
        # Bazel would write the arguments beside the output, into what the user takes.
        request = ctx.actions.declare_file("{}.{}.params".format(ctx.label.name, outputs[0].basename))
        ctx.actions.write(request, arguments[-1])
        requests.append(request)
        flag = ctx.actions.args()
        flag.add(request, format = "@%s")
        arguments = arguments[:-1] + [flag]

    ctx.actions.run(
        executable = python.interpreter,
        arguments = [command] + arguments,
        inputs = depset(
            requests,
            transitive = [inputs if type(inputs) == "depset" else depset(inputs)] + ([python.site_files] if tool.packages else []),
        ),
        outputs = outputs,
        # The stamp stands for the packages: a worker of other packages is another worker.
        tools = depset(
            [python.interpreter, tool.runner] + ([python.stamp] if tool.packages else []),
            transitive = [tool.sources] + ([tools] if tools else []),
        ),
        env = {k: v for k, v in _ENV.items() if not shell_env or k != "HOME"},
        use_default_shell_env = shell_env,
        mnemonic = mnemonic,
        progress_message = progress_message,
        resource_set = resource_set,
        unused_inputs_list = unused_inputs_list,
        execution_requirements = execution_requirements,
        toolchain = None,
    )

def _in_directory_of(label, file):
    """Whether a file is in the directory that a target makes under its name."""
    parts = [part for part in [label.package, label.name] if part]
    return "/{}/".format("/".join(parts)) in "/" + file.short_path

def tool_arguments(ctx):
    """Arguments that go through a file when they are many.

    Args:
      ctx: The rule context.

    Returns:
      Args, one argument a line in the file.
    """
    args = ctx.actions.args()
    args.use_param_file("@%s")
    args.set_param_file_format("multiline")
    return args
