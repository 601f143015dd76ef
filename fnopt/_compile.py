"""How programs are compiled that run once."""

ONCE = {"xla_backend_optimization_level": 0}  # LLVM's passes cost them more than they give; whole numbers are the same
