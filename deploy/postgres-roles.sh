#!/bin/bash
# Run once by the database's image on an empty volume: two ordinary roles, each the owner of its own database.
set -euo pipefail
psql --username "$POSTGRES_USER" --set ON_ERROR_STOP=1 \
     --set rapport="$RAPPORT_DB_PASSWORD" --set rasa="$RASA_DB_PASSWORD" <<'SQL'
CREATE ROLE rapport LOGIN PASSWORD :'rapport';
CREATE DATABASE rapport OWNER rapport;
REVOKE ALL ON DATABASE rapport FROM PUBLIC;
CREATE ROLE rasa LOGIN PASSWORD :'rasa';
CREATE DATABASE rasa OWNER rasa;
REVOKE ALL ON DATABASE rasa FROM PUBLIC;
SQL
