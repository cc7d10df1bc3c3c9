# One image a service, and one for the push stand-in: same steps, another package.
#
#   docker build -f deploy/docker/service.Dockerfile --build-arg NAME=auth -t synctalk-auth .
#   docker build -f deploy/docker/service.Dockerfile --build-arg NAME=fcm --build-arg FOLDER=deploy/fcm -t synctalk-fcm .
#
# The image takes the service's commands: `docker run … synctalk-auth migrate`.

FROM python:3.13-slim AS build
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never \
    UV_PROJECT_ENVIRONMENT=/app
RUN --mount=type=cache,target=/root/.cache/pip pip install --root-user-action=ignore --disable-pip-version-check "uv>=0.13,<0.14"
WORKDIR /source
# The whole workspace's names, but no sources: what is installed here changes with the lock file only.
COPY pyproject.toml uv.lock ./
COPY libs/contracts/pyproject.toml libs/contracts/
COPY libs/runtime/pyproject.toml libs/runtime/
COPY libs/backing/pyproject.toml libs/backing/
COPY libs/testkit/pyproject.toml libs/testkit/
COPY services/auth/pyproject.toml services/auth/
COPY services/api/pyproject.toml services/api/
COPY services/gateway/pyproject.toml services/gateway/
COPY services/presence/pyproject.toml services/presence/
COPY services/notifier/pyproject.toml services/notifier/
COPY deploy/fcm/pyproject.toml deploy/fcm/
COPY deploy/local/pyproject.toml deploy/local/
COPY deploy/k8s/pyproject.toml deploy/k8s/
COPY deploy/systemtest/pyproject.toml deploy/systemtest/
COPY bench/pyproject.toml bench/
COPY clients/python/pyproject.toml clients/python/
COPY clients/conformance/pyproject.toml clients/conformance/
ARG NAME
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-dev --no-editable --no-install-workspace --package "synctalk-${NAME:?name the service}"
# Then the service itself, with the two libraries it stands on: an import that nobody declared cannot start.
ARG FOLDER=services/${NAME}
COPY libs/contracts libs/contracts
COPY libs/runtime libs/runtime
COPY ${FOLDER} ${FOLDER}
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-dev --no-editable --package "synctalk-${NAME}"
RUN printf '#!/bin/sh\nexec /app/bin/python -m synctalk_%s "$@"\n' "${NAME}" > /app/bin/synctalk && chmod 0755 /app/bin/synctalk

FROM python:3.13-slim
ARG NAME
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="synctalk-${NAME}" \
      org.opencontainers.image.description="SyncTalk: the ${NAME} service" \
      org.opencontainers.image.version="${VERSION}"
# The image comes without compiled modules, and the root may be read-only: without this each start compiles them anew.
RUN python -m compileall -q -x '/(test|tests|idlelib|tkinter|ensurepip|turtledemo|site-packages|dist-packages)/' /usr/local/lib/python3.13
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SYNCTALK_HTTP_HOST=0.0.0.0 \
    SYNCTALK_HTTP_PORT=8000
# Where the push stand-in keeps its keys: a volume put there belongs to the user below. Where api keeps files, to the group
# as well, of which the edge is: it writes uploads there.
RUN install -d -m 0700 -o 10001 -g 10001 /credentials && install -d -m 2770 -o 10001 -g 10001 /files
# No name, no home, nothing to write but /tmp: the root file system may be read-only.
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-I", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["synctalk"]
