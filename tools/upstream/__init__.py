"""Upstream's compiler, ``mlc_llm compile``, in the place of the embedded one."""
