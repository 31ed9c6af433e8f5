# syntax=docker/dockerfile:1
FROM python:3.12-slim AS build
WORKDIR /src
COPY requirements.lock pyproject.toml README.md CHANGELOG.md LICENSE ./
RUN python -m venv /opt/pilothouse \
    && /opt/pilothouse/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY engine ./engine
COPY dashboard ./dashboard
COPY assets ./assets
RUN /opt/pilothouse/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.12-slim
RUN useradd --uid 10001 --shell /usr/sbin/nologin --home-dir /var/lib/pilothouse --create-home pilothouse \
    && chmod 0700 /var/lib/pilothouse
COPY --from=build /opt/pilothouse /opt/pilothouse
ENV PATH=/opt/pilothouse/bin:$PATH \
    PILOTHOUSE_HOME=/var/lib/pilothouse \
    PILOTHOUSE_HOST=0.0.0.0 \
    PYTHONUNBUFFERED=1
USER 10001
VOLUME ["/var/lib/pilothouse"]
EXPOSE 8000 8050
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8050/healthz', timeout=2)"]
# Beyond loopback a password is required: mount it and set PILOTHOUSE_PASSWORD_FILE.
ENTRYPOINT ["pilothouse"]
CMD ["serve"]
