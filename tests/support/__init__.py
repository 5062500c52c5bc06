"""What the tests share: services, waiting, and checks that apply to all."""
