"""How fast and how small the service is: each figure with its goal, and with a peer measured in the same run.

`python -m benchmarks` prints and asserts nothing: a figure depends on the machine, and the peer says by how much.
Kafka, Valkey, the sandbox Swoogo and the service run in processes of their own; CPU and memory are those of the one
process that is measured. `catalogue` lists the benchmarks, `figure` is what each gives, the rest is one module each.
"""
