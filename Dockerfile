# Builds the wheel, then installs it with the pinned packages; runs as a user without rights.
FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements/bootstrap.lock requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/bootstrap.lock
COPY requirements/dev.lock requirements/
RUN uv pip install --system --require-hashes -r requirements/dev.lock
COPY . .
RUN python -m hatchling build -t wheel

FROM python:3.11-slim
RUN useradd --create-home --uid 10001 hub \
 && install -d -o hub -m 0700 /run/hub-secrets
COPY requirements/bootstrap.lock requirements/runtime.lock /tmp/
COPY --from=build /src/dist/*.whl /tmp/
RUN pip install --no-cache-dir --require-hashes -r /tmp/bootstrap.lock \
 && uv pip install --system --no-cache --require-hashes -r /tmp/runtime.lock \
 && uv pip install --system --no-cache --no-deps /tmp/*.whl \
 && rm -f /tmp/*
USER hub
WORKDIR /home/hub
ENV HUB_DATA_DIR=/home/hub/data
ENTRYPOINT ["hub"]
CMD ["--help"]
