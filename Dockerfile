# The service and its page. It runs without root and writes only to /tmp:
#
#   docker build -t digits .
#   docker run --read-only --tmpfs /tmp -p 8000:8000 digits

# The runtime for browsers, fetched by npm; the service itself needs no Node.js.
FROM node:22-bookworm-slim AS runtime
# Debian has one version of each package and patches it, so there is nothing to pin.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY digits digits
RUN python3 -m venv /venv \
    && /venv/bin/pip install --no-cache-dir . \
    && DIGITS_CACHE=/runtime /venv/bin/digits site /tmp/site

FROM python:3.12-slim-bookworm
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY digits digits
# pyproject.toml bounds the versions.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir ".[serve]"
COPY --from=runtime /runtime /runtime
ENV DIGITS_CACHE=/runtime PYTHONDONTWRITEBYTECODE=1
WORKDIR /tmp
USER 65534:65534
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
ENTRYPOINT ["digits", "serve", "--no-browser", "--host", "0.0.0.0"]
