"""What search keeps inside a PostgreSQL database, and the triggers that keep it.

Lexemes are cut by the same classes as everywhere and begin with their field's place (`0:word`), or, for the role of a
message, with the place and `=`; so one `tsvector` a record answers for all fields and for each.
"""

import hashlib
from typing import Any

from argilla_embedded.search.analysis import BETWEEN_BOTH, BETWEEN_DIGITS, BETWEEN_LETTERS, regex_class

MOST_TOKENS = 40_000  # words of a field that are indexed; a tsvector holds one megabyte
LONGEST_TOKEN = 400

TABLES = """
CREATE TABLE argilla_search_schema (fingerprint text NOT NULL);
CREATE TABLE argilla_search_field (
    id uuid PRIMARY KEY, dataset_id uuid NOT NULL, name text NOT NULL, place integer NOT NULL, type text NOT NULL);
CREATE UNIQUE INDEX argilla_search_field_name ON argilla_search_field (dataset_id, name);
CREATE TABLE argilla_search_attribute (
    a bigserial PRIMARY KEY, dataset_id uuid NOT NULL, owner_id uuid NOT NULL, source text NOT NULL, name text NOT NULL,
    part text NOT NULL, kind text NOT NULL);
CREATE INDEX argilla_search_attribute_name ON argilla_search_attribute (dataset_id, source, name);
CREATE INDEX argilla_search_attribute_owner ON argilla_search_attribute (owner_id);
CREATE TABLE argilla_search_record (
    n bigserial PRIMARY KEY, record_id text COLLATE "C" NOT NULL UNIQUE, dataset_id uuid NOT NULL,
    status text COLLATE "C" NOT NULL, external_id text COLLATE "C", inserted_at timestamp NOT NULL,
    updated_at timestamp NOT NULL, shuffle bigint NOT NULL);
CREATE INDEX argilla_search_record_dataset ON argilla_search_record (dataset_id, status, n);
CREATE INDEX argilla_search_record_inserted ON argilla_search_record (dataset_id, inserted_at, n);
CREATE INDEX argilla_search_record_updated ON argilla_search_record (dataset_id, updated_at, n);
CREATE TABLE argilla_search_value (
    n bigint NOT NULL, a bigint NOT NULL, user_id text COLLATE "C" NOT NULL, item integer NOT NULL,
    text text COLLATE "C", number numeric, PRIMARY KEY (n, a, user_id, item));
CREATE INDEX argilla_search_value_text ON argilla_search_value (a, left(text, 200), n);
CREATE INDEX argilla_search_value_number ON argilla_search_value (a, number, n) WHERE number IS NOT NULL;
CREATE TABLE argilla_search_response (
    n bigint NOT NULL, dataset_id uuid NOT NULL, user_id text COLLATE "C" NOT NULL, status text COLLATE "C" NOT NULL,
    PRIMARY KEY (n, user_id));
CREATE INDEX argilla_search_response_user ON argilla_search_response (dataset_id, user_id, status);
CREATE TABLE argilla_search_vector (
    settings_id text NOT NULL, record_id text NOT NULL, alive boolean NOT NULL, changed bigint NOT NULL,
    PRIMARY KEY (settings_id, record_id));
CREATE INDEX argilla_search_vector_changed ON argilla_search_vector (settings_id, changed);
CREATE TABLE argilla_search_units (
    id bigserial PRIMARY KEY, settings_id text NOT NULL, since bigint NOT NULL, upto bigint NOT NULL,
    size integer NOT NULL, records bytea NOT NULL, numbers bytea NOT NULL, units bytea NOT NULL);
ALTER TABLE argilla_search_units ALTER units SET STORAGE EXTERNAL;
CREATE INDEX argilla_search_units_upto ON argilla_search_units (settings_id, upto, since, size);
CREATE TABLE argilla_search_text (n bigint PRIMARY KEY, body tsvector NOT NULL);
CREATE INDEX argilla_search_text_body ON argilla_search_text USING gin (body);
"""

# What each source holds, given a row of Argilla's table as the argument `it`.
FUNCTIONS = r"""
CREATE FUNCTION argilla_search_clean(given json) RETURNS json IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
    PERFORM given::jsonb;
    RETURN given;
EXCEPTION WHEN others THEN  -- NUL and halves of surrogate pairs, which json may hold and no text may
    RETURN regexp_replace(given::text, '(?<!\\)((?:\\\\)*)\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\1 ', 'g')::json;
END $$;

CREATE FUNCTION argilla_search_readable(given json) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
    SELECT argilla_search_clean(given)::jsonb;
$$;

CREATE FUNCTION argilla_search_number(given jsonb, kind text) RETURNS numeric IMMUTABLE LANGUAGE plpgsql AS $$
DECLARE found numeric;
BEGIN
    IF jsonb_typeof(given) NOT IN ('number', 'string') OR kind = 'text' THEN RETURN NULL; END IF;
    found := (given #>> '{}')::numeric;
    RETURN CASE WHEN found::text = 'NaN' OR found::text LIKE '%Infinity' THEN NULL
        WHEN kind = 'integer' THEN trunc(found) ELSE found END;
EXCEPTION WHEN others THEN
    RETURN NULL;
END $$;

CREATE FUNCTION argilla_search_put(at bigint, attribute bigint, kinds text, who text, given jsonb)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO argilla_search_value (n, a, user_id, item, text, number)
    SELECT at, attribute, who, l.item, l.word, l.amount FROM (
        SELECT i.ordinality AS item,
            CASE WHEN kinds = 'text' AND jsonb_typeof(i.value) NOT IN ('object', 'array')
                THEN i.value #>> '{}' END AS word,
            argilla_search_number(i.value, kinds) AS amount
        FROM jsonb_array_elements(
            CASE jsonb_typeof(given) WHEN 'array' THEN given ELSE jsonb_build_array(given) END
        ) WITH ORDINALITY AS i) AS l
    WHERE l.word IS NOT NULL OR l.amount IS NOT NULL;
END $$;

CREATE FUNCTION argilla_search_put_metadata(it records, only_owner uuid DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE held jsonb := argilla_search_readable(it.metadata);
BEGIN
    IF jsonb_typeof(held) = 'object' THEN
        PERFORM argilla_search_put(r.n, a.a, a.kind, '', held -> a.name)
        FROM argilla_search_record AS r JOIN argilla_search_attribute AS a ON a.dataset_id = r.dataset_id
        WHERE r.record_id = it.id::text AND a.source = 'metadata' AND held ? a.name
            AND (only_owner IS NULL OR a.owner_id = only_owner);
    END IF;
END $$;

CREATE FUNCTION argilla_search_put_response(it responses) RETURNS void LANGUAGE plpgsql AS $$
DECLARE held jsonb := argilla_search_readable(it."values");
BEGIN
    INSERT INTO argilla_search_response (n, dataset_id, user_id, status)
    SELECT n, dataset_id, it.user_id::text, it.status::text FROM argilla_search_record
    WHERE record_id = it.record_id::text;
    IF jsonb_typeof(held) = 'object' THEN
        PERFORM argilla_search_put(r.n, a.a, a.kind, it.user_id::text, held -> a.name -> 'value')
        FROM argilla_search_record AS r JOIN argilla_search_attribute AS a ON a.dataset_id = r.dataset_id
        WHERE r.record_id = it.record_id::text AND a.source = 'response'
            AND jsonb_typeof(held -> a.name) = 'object' AND (held -> a.name) ? 'value';
    END IF;
END $$;

CREATE FUNCTION argilla_search_put_suggestion(it suggestions) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM argilla_search_put(r.n, a.a, a.kind, '', CASE a.part
        WHEN 'value' THEN argilla_search_readable(it.value) WHEN 'score' THEN argilla_search_readable(it.score)
        WHEN 'agent' THEN to_jsonb(it.agent) ELSE to_jsonb(it.type::text) END)
    FROM argilla_search_record AS r JOIN argilla_search_attribute AS a ON a.owner_id = it.question_id
    WHERE r.record_id = it.record_id::text AND a.source = 'suggestion';
END $$;

CREATE FUNCTION argilla_search_plain(held json) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN RETURN CASE json_typeof(held)
        WHEN 'object' THEN (SELECT string_agg(key || ' ' || coalesce(argilla_search_plain(value), ''), ' ')
            FROM json_each(held))
        WHEN 'array' THEN (SELECT string_agg(argilla_search_plain(value), ' ') FROM json_array_elements(held))
        WHEN 'null' THEN 'None' WHEN 'boolean' THEN initcap(held #>> '{}') ELSE held #>> '{}' END;
END $$;

CREATE FUNCTION argilla_search_lexemes(body text, place integer, skip integer, most integer)
RETURNS TABLE (lexeme text, at bigint) IMMUTABLE LANGUAGE sql AS $$
    SELECT place || ':' || left(translate(lower(found[1] COLLATE @COLLATION@), 'ς', 'σ'), @LONGEST@), skip + ordinality
    FROM regexp_matches(body, @PATTERN@, 'g') WITH ORDINALITY AS t(found, ordinality)
    WHERE ordinality <= most;
$$;

CREATE FUNCTION argilla_search_vector_of(it records, most integer) RETURNS tsvector LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
    WITH field AS (
        SELECT f.place, f.type, j.value FROM json_each(argilla_search_clean(it.fields)) AS j
        JOIN argilla_search_field AS f ON f.dataset_id = it.dataset_id AND f.name = j.key
        WHERE f.type <> 'image' AND json_typeof(j.value) <> 'null'),
    message AS (
        SELECT place, m.value ->> 'role' AS role, m.value ->> 'content' AS content, ordinality
        FROM field, json_array_elements(CASE json_typeof(field.value) WHEN 'array' THEN field.value ELSE '[]' END)
        WITH ORDINALITY AS m WHERE field.type = 'chat' AND json_typeof(m.value) = 'object'),
    -- Each message starts two positions after the one before, so that no phrase reaches over.
    counted AS (
        SELECT place, content, ordinality, (sum(words + 2) OVER (
            PARTITION BY place ORDER BY ordinality) - words - 2)::integer AS skip
        FROM (SELECT place, content, ordinality, (
            SELECT count(*) FROM regexp_matches(content, @PATTERN@, 'g')) AS words FROM message) AS each),
    lexemes AS (
        SELECT l.* FROM field, argilla_search_lexemes(CASE WHEN json_typeof(field.value) IN ('array', 'object')
            THEN argilla_search_plain(field.value) ELSE field.value #>> '{}' END, place, 0, most) AS l
        WHERE NOT (field.type = 'chat' AND json_typeof(field.value) = 'array')
        UNION ALL SELECT l.* FROM counted, argilla_search_lexemes(content, place, skip, most) AS l
        UNION ALL SELECT place || '=' || left(role, @LONGEST@), 16383 FROM message WHERE role IS NOT NULL)
    SELECT coalesce(string_agg(
        '''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || ''':' || least(at, 16383), ' '
    ), '')::tsvector FROM lexemes);
END $$;

CREATE FUNCTION argilla_search_put_text(it records) RETURNS void LANGUAGE plpgsql AS $$
DECLARE most integer := @MOST@;
BEGIN
    LOOP  -- fewer words where they do not fit into one megabyte
        BEGIN
            INSERT INTO argilla_search_text (n, body) SELECT n, argilla_search_vector_of(it, most)
            FROM argilla_search_record WHERE record_id = it.id::text;
            RETURN;
        EXCEPTION WHEN program_limit_exceeded THEN
            most := most / 2;
        END;
    END LOOP;
END $$;

CREATE FUNCTION argilla_search_put_record(it records) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO argilla_search_record (record_id, dataset_id, status, external_id, inserted_at, updated_at, shuffle)
    VALUES (it.id::text, it.dataset_id, it.status::text, it.external_id, it.inserted_at, it.updated_at,
        ('x' || right(it.id::text, 7))::bit(28)::bigint);
    PERFORM argilla_search_put_metadata(it);
    PERFORM argilla_search_put_text(it);
END $$;

CREATE FUNCTION argilla_search_put_field(it fields) RETURNS void LANGUAGE sql AS $$
    INSERT INTO argilla_search_field (id, dataset_id, name, place, type)
    SELECT it.id, it.dataset_id, it.name, coalesce(max(f.place) + 1, 0), it.settings ->> 'type'
    FROM argilla_search_field AS f WHERE f.dataset_id = it.dataset_id;
$$;

CREATE FUNCTION argilla_search_put_question(it questions) RETURNS void LANGUAGE sql AS $$
    INSERT INTO argilla_search_attribute (dataset_id, owner_id, source, name, part, kind)
    SELECT it.dataset_id, it.id, p.source, it.name, p.part, coalesce(p.kind, q.kind) FROM (VALUES
        ('response', 'value', NULL), ('suggestion', 'value', NULL), ('suggestion', 'score', 'float'),
        ('suggestion', 'agent', 'text'), ('suggestion', 'type', 'text')) AS p (source, part, kind),
        (SELECT CASE it.settings ->> 'type' WHEN 'rating' THEN 'integer' WHEN 'label_selection' THEN 'text'
            WHEN 'multi_label_selection' THEN 'text' END AS kind) AS q
    WHERE coalesce(p.kind, q.kind) IS NOT NULL;
$$;

CREATE FUNCTION argilla_search_put_property(it metadata_properties) RETURNS void LANGUAGE sql AS $$
    INSERT INTO argilla_search_attribute (dataset_id, owner_id, source, name, part, kind)
    SELECT it.dataset_id, it.id, 'metadata', it.name, 'value',
        CASE it.settings ->> 'type' WHEN 'terms' THEN 'text' ELSE it.settings ->> 'type' END;
$$;

CREATE FUNCTION argilla_search_put_vector(it vectors, living boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO argilla_search_vector (settings_id, record_id, alive, changed)
    SELECT it.vector_settings_id::text, it.record_id::text, living, pg_current_xact_id()::text::bigint
    ON CONFLICT (settings_id, record_id) DO UPDATE SET alive = excluded.alive, changed = excluded.changed;
END $$;

CREATE FUNCTION argilla_search_drop_values(record uuid, owner uuid, origin text, who text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM argilla_search_value AS v USING argilla_search_record AS r, argilla_search_attribute AS a
    WHERE r.record_id = record::text AND v.n = r.n AND a.a = v.a AND a.source = origin
        AND (owner IS NULL OR a.owner_id = owner) AND v.user_id = who;
END $$;
"""

# The body of each trigger's function: when an old row goes, and when a new one comes.
TRIGGERS = {
    "records": (
        """DELETE FROM argilla_search_value USING argilla_search_record AS r
        WHERE r.record_id = OLD.id::text AND argilla_search_value.n = r.n;
        DELETE FROM argilla_search_response USING argilla_search_record AS r
        WHERE r.record_id = OLD.id::text AND argilla_search_response.n = r.n;
        DELETE FROM argilla_search_text USING argilla_search_record AS r
        WHERE r.record_id = OLD.id::text AND argilla_search_text.n = r.n;
        DELETE FROM argilla_search_record WHERE record_id = OLD.id::text;""",
        "PERFORM argilla_search_put_record(NEW);",
        """IF OLD.fields::text IS DISTINCT FROM NEW.fields::text THEN
            DELETE FROM argilla_search_text USING argilla_search_record AS r
            WHERE r.record_id = NEW.id::text AND argilla_search_text.n = r.n;
            PERFORM argilla_search_put_text(NEW);
        END IF;
        IF OLD.metadata::text IS DISTINCT FROM NEW.metadata::text THEN
            PERFORM argilla_search_drop_values(NEW.id, NULL, 'metadata', '');
            PERFORM argilla_search_put_metadata(NEW);
        END IF;
        UPDATE argilla_search_record SET status = NEW.status::text, external_id = NEW.external_id,
            inserted_at = NEW.inserted_at, updated_at = NEW.updated_at WHERE record_id = NEW.id::text;""",
    ),
    "responses": (
        """PERFORM argilla_search_drop_values(OLD.record_id, NULL, 'response', OLD.user_id::text);
        DELETE FROM argilla_search_response USING argilla_search_record AS r WHERE r.record_id = OLD.record_id::text
            AND argilla_search_response.n = r.n AND user_id = OLD.user_id::text;""",
        "PERFORM argilla_search_put_response(NEW);",
        None,
    ),
    "suggestions": (
        "PERFORM argilla_search_drop_values(OLD.record_id, OLD.question_id, 'suggestion', '');",
        "PERFORM argilla_search_put_suggestion(NEW);",
        None,
    ),
    "fields": (
        "DELETE FROM argilla_search_field WHERE id = OLD.id;",
        "PERFORM argilla_search_put_field(NEW);",
        "UPDATE argilla_search_field SET name = NEW.name, type = NEW.settings ->> 'type' WHERE id = NEW.id;",
    ),
    "questions": (
        """DELETE FROM argilla_search_value USING argilla_search_attribute AS a
        WHERE a.owner_id = OLD.id AND argilla_search_value.a = a.a;
        DELETE FROM argilla_search_attribute WHERE owner_id = OLD.id;""",
        "PERFORM argilla_search_put_question(NEW);",
        "UPDATE argilla_search_attribute SET name = NEW.name WHERE owner_id = NEW.id;",
    ),
    "metadata_properties": (
        """DELETE FROM argilla_search_value USING argilla_search_attribute AS a
        WHERE a.owner_id = OLD.id AND argilla_search_value.a = a.a;
        DELETE FROM argilla_search_attribute WHERE owner_id = OLD.id;""",
        """PERFORM argilla_search_put_property(NEW);
        PERFORM argilla_search_put_metadata(r, NEW.id) FROM records AS r WHERE r.dataset_id = NEW.dataset_id;""",
        "UPDATE argilla_search_attribute SET name = NEW.name WHERE owner_id = NEW.id;",
    ),
    "vectors": (
        "PERFORM argilla_search_put_vector(OLD, false);",
        "PERFORM argilla_search_put_vector(NEW, true);",
        None,
    ),
    "vectors_settings": (
        """DELETE FROM argilla_search_units WHERE settings_id = OLD.id::text;
        DELETE FROM argilla_search_vector WHERE settings_id = OLD.id::text;""",
        "NULL;",
        "NULL;",
    ),
}

REBUILT = """
SELECT argilla_search_put_field(f) FROM fields AS f ORDER BY f.inserted_at, f.id;
SELECT argilla_search_put_property(p) FROM metadata_properties AS p;
SELECT argilla_search_put_question(q) FROM questions AS q;
SELECT argilla_search_put_record(r) FROM (SELECT * FROM records ORDER BY inserted_at, id) AS r;
SELECT argilla_search_put_response(r) FROM responses AS r;
SELECT argilla_search_put_suggestion(s) FROM suggestions AS s;
SELECT argilla_search_put_vector(v, true) FROM vectors AS v;
"""


def prepare(connection: Any) -> None:
    """Create all of it where it is missing, damaged or of another version. Raises ValueError unless it is UTF-8."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_encoding")
        if (encoding := cursor.fetchone()[0]) != "UTF8":
            raise ValueError(f"The database's encoding is {encoding}, not UTF8; create it with ENCODING 'UTF8'.")
        cursor.execute("SELECT count(*) FROM pg_collation WHERE collname = 'und-x-icu'")
        statements = _statements('"und-x-icu"' if cursor.fetchone()[0] else '"default"')
        fingerprint = hashlib.sha256("\n".join(statements).encode()).hexdigest()
        cursor.execute("BEGIN")
        cursor.execute("SELECT pg_advisory_xact_lock(7271461)")
        if not _is_current(cursor, fingerprint):
            cursor.execute(f"LOCK TABLE {', '.join(TRIGGERS)} IN SHARE ROW EXCLUSIVE MODE")
            _drop(cursor)
            for statement in statements:
                cursor.execute(statement)
            cursor.execute("INSERT INTO argilla_search_schema VALUES (%s)", [fingerprint])
        # Restored into another cluster, transactions count from another number.
        now = "pg_current_xact_id()::text::bigint"
        cursor.execute(
            f"""DELETE FROM argilla_search_units
            WHERE EXISTS (SELECT FROM argilla_search_vector WHERE changed > {now})
            OR EXISTS (SELECT FROM argilla_search_units WHERE upto > {now})"""
        )
        cursor.execute(f"UPDATE argilla_search_vector SET changed = 1 WHERE changed > {now}")
        cursor.execute("COMMIT")


def remove(connection: Any) -> None:
    """Drop all that `prepare` created."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        _drop(cursor)
        cursor.execute("COMMIT")


def _statements(collation: str) -> list[str]:
    pattern = "'" + _pattern().replace("'", "''") + "'"
    functions = FUNCTIONS.replace("@COLLATION@", collation).replace("@PATTERN@", pattern)
    functions = functions.replace("@LONGEST@", str(LONGEST_TOKEN)).replace("@MOST@", str(MOST_TOKENS))
    return [TABLES, functions, REBUILT, *(_trigger(table, *bodies) for table, bodies in TRIGGERS.items())]


def _trigger(table: str, gone: str, come: str, changed: str | None) -> str:
    name = f"argilla_search_on_{table}"
    return f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN {come}
        ELSIF TG_OP = 'DELETE' THEN {gone}
        ELSE {changed or gone + come}
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER {name} AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}();"""


def _pattern() -> str:
    """Write a word as a regular expression of PostgreSQL's: UAX #29 with the joiners of `analysis`."""
    letter, digit = f"[{regex_class('letter')}]", f"[{regex_class('digit')}]"
    either = f"[{regex_class('letter', 'digit')}]"
    in_letters, in_digits = (f"[{_escaped(BETWEEN_BOTH + more)}]" for more in (BETWEEN_LETTERS, BETWEEN_DIGITS))
    joined = f"(?<={letter}){in_letters}(?={letter})|(?<={digit}){in_digits}(?={digit})"
    word = f"{either}+(?:(?:{joined}){either}+)*"
    apart = f"[{regex_class('single')}]|[{regex_class('emoji')}]|[{regex_class('katakana')}]+|[{regex_class('run')}]+"
    return f"({apart}|{word})"


def _escaped(characters: str) -> str:
    return "".join(f"\\U{ord(character):08x}" for character in characters)


def _is_current(cursor: Any, fingerprint: str) -> bool:
    cursor.execute("SELECT to_regclass('argilla_search_schema') IS NOT NULL")
    if not cursor.fetchone()[0]:
        return False
    cursor.execute("SELECT fingerprint FROM argilla_search_schema")
    stored = cursor.fetchone()
    cursor.execute("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'argilla\\_search\\_on\\_%' AND tgenabled <> 'D'")
    return bool(stored == (fingerprint,) and cursor.fetchone()[0] == len(TRIGGERS))


def _drop(cursor: Any) -> None:
    cursor.execute("SELECT oid::regprocedure::text FROM pg_proc WHERE proname LIKE 'argilla\\_search\\_%'")
    for (name,) in cursor.fetchall():
        cursor.execute(f"DROP FUNCTION IF EXISTS {name} CASCADE")
    cursor.execute("SELECT relname FROM pg_class WHERE relname LIKE 'argilla\\_search\\_%' AND relkind = 'r'")
    for (name,) in cursor.fetchall():
        cursor.execute(f"DROP TABLE IF EXISTS {name} CASCADE")
