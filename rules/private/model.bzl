"""Rule: an entry of a package."""

load("//rules/private/providers:model_info.bzl", "MlcModelInfo")
load("//rules/private/providers:model_lib_info.bzl", "MlcModelLibInfo")
load("//rules/private/providers:weight_info.bzl", "MlcWeightInfo")
load(":label.bzl", "label_text")

def _mlc_model_impl(ctx):
    entry = ctx.actions.declare_file(ctx.label.name + ".entry.json")
    vram = ctx.attr.estimated_vram_bytes
    ctx.actions.write(entry, json.encode_indent({
        "bundle_weight": ctx.attr.bundle_weight,
        "estimated_vram_bytes": int(vram) if vram else None,
        "label": label_text(ctx.label),
        "model_id": ctx.attr.model_id,
        "url": ctx.attr.url or None,
    }, indent = "  ") + "\n")
    return [
        DefaultInfo(files = depset([entry])),
        MlcModelInfo(
            bundle_weight = ctx.attr.bundle_weight,
            entry = entry,
            lib = ctx.attr.lib[MlcModelLibInfo],
            lib_label = ctx.attr.lib.label,
            model_id = ctx.attr.model_id,
            weights = ctx.attr.weights[MlcWeightInfo] if ctx.attr.weights else None,
        ),
    ]

mlc_model = rule(
    doc = "See //rules:mlc_model.bzl.",
    implementation = _mlc_model_impl,
    attrs = {
        "bundle_weight": attr.bool(doc = "Whether the weights are part of the package."),
        "estimated_vram_bytes": attr.string(doc = "A decimal number of bytes, or empty: attr.int has 32 bits."),
        "lib": attr.label(doc = "The library.", mandatory = True, providers = [MlcModelLibInfo]),
        "model_id": attr.string(doc = "The id.", mandatory = True),
        "url": attr.string(doc = "The model's page."),
        "weights": attr.label(doc = "The weights.", providers = [MlcWeightInfo]),
    },
    provides = [MlcModelInfo],
)
