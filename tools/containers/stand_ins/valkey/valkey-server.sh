#!/bin/sh
exec /usr/local/bin/valkey-server.bin "$@" --protected-mode no
