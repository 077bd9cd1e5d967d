# syntax=docker/dockerfile:1

# Serve the Worker in ./my-worker:
#   docker build -t cfw-emu .
#   docker run --rm -p 8787:8787 -v ./my-worker:/worker cfw-emu
# More in docs/docker.md.

# The platform's Python Workers run CPython 3.13 since the compatibility date 2025-09-29.
ARG PYTHON=3.13

# The full image has a C compiler, for machines that a dependency has no wheel for (arm64).
FROM python:${PYTHON} AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY emulator ./emulator
RUN python -m venv /opt/cfw-emu
RUN /opt/cfw-emu/bin/pip install --no-cache-dir .

FROM python:${PYTHON}-slim
COPY --from=build /opt/cfw-emu /opt/cfw-emu
# 1000 is the first user of most Linux machines: what is kept in /worker/.cfw-emu belongs to them.
RUN useradd --uid 1000 --create-home cfw
ENV PATH=/opt/cfw-emu/bin:$PATH \
    PYTHONUNBUFFERED=1
USER cfw
WORKDIR /worker
EXPOSE 8787
STOPSIGNAL SIGINT
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8787/cdn-cgi/local/health', timeout=2)"]
ENTRYPOINT ["cfw-emu"]
CMD ["serve", "/worker", "--host", "0.0.0.0"]
