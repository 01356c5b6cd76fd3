"""Schedule rules for targets that TVM has no good ones for."""
