FROM python:3.11-slim AS build
WORKDIR /src
RUN ["python", "-m", "venv", "/opt/tiewatch"]
COPY . .
RUN ["/opt/tiewatch/bin/pip", "install", "--no-cache-dir", "-c", "constraints.txt", "."]

FROM python:3.11-slim
COPY --from=build /opt/tiewatch /opt/tiewatch
ENV PATH=/opt/tiewatch/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /srv/tiewatch
USER 10001:10001
# Healthy: the database and the queue answer.
HEALTHCHECK --interval=60s --timeout=20s --start-period=30s CMD ["tiewatch", "doctor", "--connections"]
ENTRYPOINT ["tiewatch"]
