"""How the pocket models are trained: a program of stages, a loop that fits one network, and what it minimises."""
