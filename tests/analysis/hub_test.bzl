"""Unit tests of what the extension says of models of the Hub, before anything is asked of it."""

load("@bazel_skylib//lib:unittest.bzl", "asserts", "unittest")
load("//rules/private/hub:address.bzl", "is_address", "is_header")
load("//rules/private/hub:blobs.bzl", "blobs_build_file", "is_blob", "source_of")
load("//rules/private/hub:config_label.bzl", "config_label")
load("//rules/private/hub:lock_file.bzl", "entry_error", "path_error", "stale")
load("//rules/private/hub:model_name.bzl", "DEFAULT_ENDPOINT", "name_error", "repo_of")
load("//rules/private/hub:models.bzl", "hub_model", "lock_command", "lock_requests", "same_model")

_MIRROR = "https://hub.example.com"

def _model_name_impl(ctx):
    env = unittest.begin(ctx)
    for model in [
        "HF://org/re-po_1.x",
        "hf://org/re-po_1.x",
        "org/re-po_1.x",
        "org/re-po_1.x/",
        DEFAULT_ENDPOINT + "/org/re-po_1.x",
        _MIRROR + "/org/re-po_1.x/",
    ]:
        asserts.equals(env, "org/re-po_1.x", repo_of(model, _MIRROR + "/"), model)
    for model in ["", "phi", "HF://a", "HF://a/b/c", "a/../b", "a/..b", "-a/b", "a/b?c", "a/ü", "a/" + 97 * "b", "https://github.com/a/b"]:
        asserts.equals(env, None, repo_of(model, _MIRROR), model)
    for name in ["phi2", "phi-2_q4"]:
        asserts.equals(env, None, name_error(name))
    for name in ["", "2phi", "phi.files", "phi/2", "ph\n", "mlc_hub"]:
        asserts.true(env, name_error(name).endswith("got " + repr(name)), name)
    return unittest.end(env)

_SHA256 = 64 * "a"
_COMMIT = 40 * "b"

def _entry(file = {}, **fields):
    return {
        "commit": _COMMIT,
        "exclude": [],
        "files": [{"nbytes": 1, "path": "a/b.bin", "sha256": _SHA256} | file],
        "include": [],
        "repo": "org/repo",
        "revision": "main",
    } | fields

def _lock_impl(ctx):
    env = unittest.begin(ctx)
    asserts.equals(env, None, entry_error(_entry()))
    for wrong, entry in {
        "commit: expected 40 hexadecimal digits": _entry(commit = "main"),
        "commit: expected a string": _entry(commit = 1),
        "expected an object": [],
        "files: expected a list": _entry(files = {}),
        "files[0].nbytes: expected an integer": _entry(file = {"nbytes": "1"}),
        "files[0].path: \"../x\" leaves its directory": _entry(file = {"path": "../x"}),
        "files[0].path: \"a\\\\b\" contains \"\\\\\", which no target's name has; leave the file out by attribute exclude": _entry(file = {"path": "a\\b"}),
        "files[0].sha256: expected 64 hexadecimal digits": _entry(file = {"sha256": "../x"}),
    }.items():
        asserts.equals(env, wrong, entry_error(entry))
    for path in ["", "/etc/passwd", "a//b", "./a", "a/..", "BUILD", "a/build.bazel", ".git/config", "a\nb", "a:b", "ü"]:
        asserts.true(env, path_error(path) != None, path)
    for path in ["tokenizer.json", "a/b c#(1).txt", ".hidden", "builder"]:
        asserts.equals(env, None, path_error(path))
    return unittest.end(env)

def _stale_impl(ctx):
    env = unittest.begin(ctx)
    model = hub_model(name = "phi2", model = "HF://org/repo", exclude = [])
    asserts.equals(env, None, stale(model, "org/repo", _entry()))
    asserts.equals(
        env,
        "attribute model is \"org/new\", and the lock was made for \"org/repo\"",
        stale(model, "org/new", _entry()),
    )
    asserts.equals(
        env,
        "attribute exclude is [], and the lock was made for [\"*.md\"]",
        stale(model, "org/repo", _entry(exclude = ["*.md"])),
    )
    return unittest.end(env)

def _modules_impl(ctx):
    """A lock is written into the workspace of the root module: models of others are not locked there."""
    env = unittest.begin(ctx)
    ours = hub_model(name = "phi2", model = "org/repo", lock = Label("//:mlc.lock.json"))
    theirs = hub_model(name = "phi2", model = "org/repo", lock = Label("@bazel_skylib//:mlc.lock.json"), module = "models")
    asserts.equals(env, ["phi2"], [request["name"] for request in lock_requests([ours, theirs])])
    asserts.equals(env, "bazel run @phi2//:lock", lock_command(ours))
    asserts.equals(env, "bazel run @phi2//:lock in the workspace of module models", lock_command(theirs))
    asserts.true(env, same_model(ours, theirs))
    asserts.false(env, same_model(ours, hub_model(name = "phi2", model = "org/other", module = "models")))
    asserts.false(env, same_model(ours, hub_model(name = "phi2", model = "org/repo")))
    return unittest.end(env)

def _blobs_impl(ctx):
    env = unittest.begin(ctx)
    asserts.true(env, is_blob({"nbytes": 1, "path": "params_shard_0.bin"}))
    asserts.true(env, is_blob({"nbytes": 64000001, "path": "tokenizer.json"}))
    asserts.false(env, is_blob({"nbytes": 35000000, "path": "tokenizer.json"}))

    # Where a blob comes from is not seen in any key.
    files = [
        blobs_build_file({_SHA256: {"nbytes": 1, "sources": [source_of(_entry(repo = repo), {"path": path})]}}).partition("title")[0]
        for repo, path in [("org/x", "a.bin"), ("org/y", "b.bin")]
    ]
    asserts.equals(env, files[0], files[1])
    return unittest.end(env)

def _config_label_impl(ctx):
    env = unittest.begin(ctx)
    repository = Label("@mlc_environment//:anchor").repo_name.removesuffix("mlc_environment") + "phi2"
    whole = Label("@@{0}//:phi2".format(repository))
    config = Label("@@{0}//:config".format(repository))
    asserts.equals(env, config, config_label(whole))
    for other in [config, Label("@@{0}//:weights".format(repository)), Label("//a:phi2"), Label("@bazel_skylib//:bazel_skylib")]:
        asserts.equals(env, other, config_label(other))

    # With a WORKSPACE file every repository has its own name, and none is a model.
    own = Label("@@phi2//:phi2")
    asserts.equals(env, own, config_label(own, prefix = ""))
    return unittest.end(env)

def _address_impl(ctx):
    env = unittest.begin(ctx)
    for endpoint in ["https://huggingface.co", "http://127.0.0.1:8080/hub", "http://[::1]", "http://[::1]:80"]:
        asserts.true(env, is_address(endpoint), endpoint)
    for endpoint in [
        "",
        "huggingface.co",
        "ftp://huggingface.co",
        "https://",
        "https:///hub",
        "https://user:secret@huggingface.co",
        "https://huggingface.co:44a",
        "https://huggingface.co:",
        "https://:443",
        "https://[::1",
        "https://[::1]80",
        "https://a[::1]",
        "https://hugging face.co",
        "https://huggingface.co/\nx",
        "https://huggingface.co?a",
        "https://huggingface.co/#a",
    ]:
        asserts.false(env, is_address(endpoint), endpoint)
    asserts.true(env, is_header("hf_aB0~"))
    for token in ["hf_a\nb", "hf a", "hf_\303\251", "\177"]:
        asserts.false(env, is_header(token), token)
    return unittest.end(env)

_address_test = unittest.make(_address_impl)
_model_name_test = unittest.make(_model_name_impl)
_lock_test = unittest.make(_lock_impl)
_stale_test = unittest.make(_stale_impl)
_modules_test = unittest.make(_modules_impl)
_blobs_test = unittest.make(_blobs_impl)
_config_label_test = unittest.make(_config_label_impl)

def hub_test_suite(name):
    """Declares the tests of this file.

    Args:
      name: The suite's name.
    """
    unittest.suite(
        name,
        _address_test,
        _blobs_test,
        _config_label_test,
        _lock_test,
        _model_name_test,
        _modules_test,
        _stale_test,
    )
