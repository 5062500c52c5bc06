# The image of the service. Builds for linux/amd64 and linux/arm64: everything comes as a wheel, nothing is compiled.
#   docker build -t swoogo-sync .                     the service
#   docker build -t swoogo-sync-sandbox --target sandbox .   the same with the sandbox Swoogo and the sample publisher
# Name the base by digest for a build that can be repeated: --build-arg PYTHON_IMAGE=...@sha256:...
# Packages from a mirror: --secret id=pip,src=$HOME/.config/pip/pip.conf
ARG PYTHON_IMAGE=docker.io/library/python:3.11-slim-bookworm
ARG RUNTIME_IMAGE=${PYTHON_IMAGE}

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# No pip in what is shipped: the builder's own installs into it.
RUN ["python3", "-m", "venv", "--without-pip", "/opt/swoogo-sync"]
RUN ["python3", "-m", "venv", "/opt/build"]
COPY deploy/requirements-build.lock requirements.lock ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    ["/opt/build/bin/python", "-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:", \
     "-r", "requirements-build.lock"]
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    ["/opt/build/bin/python", "-m", "pip", "--python", "/opt/swoogo-sync/bin/python", "install", "--quiet", \
     "--require-hashes", "--only-binary", ":all:", "-r", "requirements.lock"]
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY sandbox sandbox
COPY consumer consumer
RUN ["/opt/build/bin/python", "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", \
     "--wheel-dir", "dist", "."]
RUN ["/opt/build/bin/python", "-m", "pip", "--python", "/opt/swoogo-sync/bin/python", "install", "--quiet", \
     "--no-index", "--no-deps", "--find-links", "dist", "swoogo-sync"]

FROM build AS build-sandbox
COPY deploy/requirements-sandbox.lock ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    ["/opt/build/bin/python", "-m", "pip", "--python", "/opt/swoogo-sync/bin/python", "install", "--quiet", \
     "--require-hashes", "--only-binary", ":all:", "-r", "requirements-sandbox.lock"]

FROM ${RUNTIME_IMAGE} AS runtime
ENV PATH=/opt/swoogo-sync/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTHONSAFEPATH=1 \
    SWOOGO_SYNC_HTTP__HOST=0.0.0.0 SWOOGO_SYNC_HTTP__PORT=8080
WORKDIR /
# The decoder of images confines itself with libseccomp.so.2, which the base has from apt; without it, it says so.
# A number: Kubernetes cannot tell that a name is not root. No home, no shell needed, nothing of ours is writable.
USER 65532:65532

FROM runtime AS sandbox
COPY --from=build-sandbox /opt/swoogo-sync /opt/swoogo-sync
ENTRYPOINT ["python", "-m"]
CMD ["sandbox.swoogo", "--host", "0.0.0.0", "--port", "8090"]

FROM runtime AS service
COPY --from=build /opt/swoogo-sync /opt/swoogo-sync
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=8s --start-period=120s --retries=3 CMD ["swoogo-sync", "health", "live"]
ENTRYPOINT ["swoogo-sync"]
CMD ["run"]
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="swoogo-sync" \
      org.opencontainers.image.description="Keeps Swoogo events right from Sessionboard change events on Kafka." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
