"""What search keeps inside an SQLite database, and the triggers that keep it.

Every statement is plain SQL of SQLite itself, with FTS5 and JSON, so that whoever writes to Argilla's tables, from
whatever process, keeps the search true within the same transaction. `NEW` stands for a row of Argilla's table: the
row of the trigger, or, when everything is built anew, each row of the table under that alias.
"""

from argilla_embedded.search.analysis import (
    BETWEEN_BOTH,
    BETWEEN_DIGITS,
    BETWEEN_LETTERS,
    JOINERS,
    glob_class,
)
from argilla_embedded.search.match import PRIVATE_EMOJI, PRIVATE_JOINER, PRIVATE_ROLE

COLUMNS = 32  # fields of a dataset with an index of their own; further ones share the last

TABLES = [
    "CREATE TABLE argilla_search_schema (fingerprint TEXT NOT NULL)",
    "CREATE TABLE argilla_search_counter (i INTEGER PRIMARY KEY)",
    """INSERT INTO argilla_search_counter
    WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 1023) SELECT i FROM c""",
    "CREATE TABLE argilla_search_stage (n INTEGER NOT NULL, place INTEGER NOT NULL, body TEXT)",
    """CREATE TABLE argilla_search_field (
    id TEXT PRIMARY KEY, dataset_id TEXT NOT NULL, name TEXT NOT NULL, place INTEGER NOT NULL, type TEXT NOT NULL)""",
    "CREATE UNIQUE INDEX argilla_search_field_name ON argilla_search_field (dataset_id, name)",
    """CREATE TABLE argilla_search_attribute (
    a INTEGER PRIMARY KEY, dataset_id TEXT NOT NULL, owner_id TEXT NOT NULL, source TEXT NOT NULL, name TEXT NOT NULL,
    part TEXT NOT NULL, kind TEXT NOT NULL)""",
    "CREATE INDEX argilla_search_attribute_name ON argilla_search_attribute (dataset_id, source, name)",
    "CREATE INDEX argilla_search_attribute_owner ON argilla_search_attribute (owner_id)",
    """CREATE TABLE argilla_search_record (
    n INTEGER PRIMARY KEY, record_id TEXT NOT NULL UNIQUE, dataset_id TEXT NOT NULL, status TEXT NOT NULL,
    external_id TEXT, inserted_at TEXT NOT NULL, updated_at TEXT NOT NULL, shuffle INTEGER NOT NULL)""",
    "CREATE INDEX argilla_search_record_dataset ON argilla_search_record (dataset_id, status, n)",
    "CREATE INDEX argilla_search_record_inserted ON argilla_search_record (dataset_id, inserted_at, n)",
    "CREATE INDEX argilla_search_record_updated ON argilla_search_record (dataset_id, updated_at, n)",
    """CREATE TABLE argilla_search_value (
    n INTEGER NOT NULL, a INTEGER NOT NULL, user_id TEXT NOT NULL, item INTEGER NOT NULL, text TEXT, number NUMERIC,
    PRIMARY KEY (n, a, user_id, item)) WITHOUT ROWID""",
    "CREATE INDEX argilla_search_value_text ON argilla_search_value (a, text, n, user_id) WHERE text IS NOT NULL",
    "CREATE INDEX argilla_search_value_number ON argilla_search_value (a, number, n, user_id) WHERE number IS NOT NULL",
    """CREATE TABLE argilla_search_response (
    n INTEGER NOT NULL, dataset_id TEXT NOT NULL, user_id TEXT NOT NULL, status TEXT NOT NULL,
    PRIMARY KEY (n, user_id)) WITHOUT ROWID""",
    "CREATE INDEX argilla_search_response_user ON argilla_search_response (dataset_id, user_id, status, n)",
    """CREATE TABLE argilla_search_vector (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, settings_id TEXT NOT NULL, record_id TEXT NOT NULL,
    alive INTEGER NOT NULL)""",
    "CREATE UNIQUE INDEX argilla_search_vector_record ON argilla_search_vector (settings_id, record_id)",
    "CREATE INDEX argilla_search_vector_seq ON argilla_search_vector (settings_id, seq)",
    """CREATE TABLE argilla_search_units (
    id INTEGER PRIMARY KEY, settings_id TEXT NOT NULL, since INTEGER NOT NULL, upto INTEGER NOT NULL,
    size INTEGER NOT NULL, records BLOB NOT NULL, numbers BLOB NOT NULL, units BLOB NOT NULL)""",
    "CREATE INDEX argilla_search_units_upto ON argilla_search_units (settings_id, upto, since, size)",
]


def text_table() -> str:
    """Write the full text table: a row a record, a column a field."""
    columns = ", ".join(f"c{place}" for place in range(COLUMNS))
    tokenizer = "unicode61 remove_diacritics 0 categories ''L* M* Nd Nl Co Pc'' separators ''\ufe0e\ufe0f''"
    return f"CREATE VIRTUAL TABLE argilla_search_text USING fts5({columns}, tokenize='{tokenizer}')"


TEXT_NUMBER = "({v} NOT GLOB '*[^-+0-9.eE]*' AND {v} GLOB '*[0-9]*')"


def _numbers(value: str) -> str:
    """Write the number of a JSON value as Elasticsearch would coerce it: from a string too, an integer cut."""
    real = f"""CASE WHEN {value}.type IN ('integer', 'real') THEN {value}.atom
    WHEN {value}.type = 'text' AND {TEXT_NUMBER.format(v=f"{value}.atom")} THEN CAST({value}.atom AS REAL) END"""
    exact = f"""CASE WHEN {value}.type = 'text' AND {value}.atom NOT GLOB '*[^-0-9]*' AND {value}.atom GLOB '*[0-9]*'
    THEN CAST({value}.atom AS INTEGER) WHEN {value}.type = 'integer' THEN {value}.atom
    ELSE CAST({real} AS INTEGER) END"""
    return f"CASE s.kind WHEN 'integer' THEN {exact} WHEN 'float' THEN {real} END"


def _texts(value: str) -> str:
    return f"""CASE WHEN s.kind = 'text' THEN CASE {value}.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'
    WHEN 'object' THEN NULL WHEN 'array' THEN NULL ELSE CAST({value}.atom AS TEXT) END END"""


def _listed(value: str) -> str:
    """Write a JSON value as a list: itself where it is one."""
    return f"CASE json_type({value}) WHEN 'array' THEN {value} ELSE '[' || {value} || ']' END"


def _insert_values(rows: str, user: str = "''") -> str:
    """Write the statement that stores values; `rows` yields n, a (attribute), kind and v (JSON)."""
    text, number = _texts("i"), _numbers("i")
    return f"""INSERT INTO argilla_search_value (n, a, user_id, item, text, number)
    SELECT n, a, user_id, key, text, number FROM (
    SELECT s.n, s.a, {user} AS user_id, i.key, {text} AS text, {number} AS number
    FROM ({rows}) AS s CROSS JOIN json_each({_listed("s.v")}) AS i WHERE s.v IS NOT NULL)
    WHERE text IS NOT NULL OR number IS NOT NULL"""


def metadata_values(table: str = "", row: str = "NEW", only: str = "") -> str:
    """Store a record's metadata, for the properties that are declared."""
    return _insert_values(f"""SELECT r.n, a.a, a.kind, {row}.metadata -> j.fullkey AS v FROM {table}
    argilla_search_record AS r CROSS JOIN json_each({row}.metadata) AS j CROSS JOIN argilla_search_attribute AS a
    WHERE r.record_id = {row}.id AND json_type({row}.metadata) = 'object' AND j.type NOT IN ('null', 'object')
    AND a.dataset_id = r.dataset_id AND a.source = 'metadata' AND a.name = j.key {only}""")


def response_values(table: str = "") -> str:
    """Store the answers of a response to questions that can be filtered by."""
    rows = f"""SELECT r.n, NEW.user_id, a.a, a.kind, j.value -> '$.value' AS v FROM {table}
    argilla_search_record AS r CROSS JOIN json_each(NEW."values") AS j CROSS JOIN argilla_search_attribute AS a
    WHERE r.record_id = NEW.record_id AND json_type(NEW."values") = 'object' AND j.type = 'object'
    AND a.dataset_id = r.dataset_id AND a.source = 'response' AND a.name = j.key"""
    return _insert_values(rows, "s.user_id")


def suggestion_values(table: str = "") -> str:
    """Store a suggestion's value, score, agent and type."""
    part = """CASE a.part WHEN 'value' THEN NEW.value WHEN 'score' THEN NEW.score
    WHEN 'agent' THEN json_quote(NEW.agent) ELSE json_quote(NEW.type) END"""
    return _insert_values(f"""SELECT r.n, a.a, a.kind, {part} AS v FROM {table} argilla_search_record AS r
    CROSS JOIN argilla_search_attribute AS a
    WHERE r.record_id = NEW.record_id AND a.owner_id = NEW.question_id AND a.source = 'suggestion'""")


def record_row(table: str = "") -> str:
    """Number a record; its last seven hexadecimal digits become the number that the users' orders start from."""
    digits = " + ".join(
        f"(instr('0123456789abcdef', substr(NEW.id, {-place - 1}, 1)) - 1) * {16**place}" for place in range(7)
    )
    return f"""INSERT INTO argilla_search_record
    (record_id, dataset_id, status, external_id, inserted_at, updated_at, shuffle)
    SELECT NEW.id, NEW.dataset_id, NEW.status, NEW.external_id, NEW.inserted_at, NEW.updated_at, {digits}
    {table}"""


def record_text(table: str = "") -> list[str]:
    """Store the words of a record's fields: their text, apart where scripts have no spaces, with joiners in words."""
    columns = ", ".join(f"c{place}" for place in range(COLUMNS))
    picked = ", ".join(f"max(CASE WHEN place = {place} THEN shown END)" for place in range(COLUMNS - 1))
    shared = f"group_concat(CASE WHEN place >= {COLUMNS - 1} THEN shown END, ' ')"
    spaceless = glob_class("single", "katakana", "run", "emoji")
    return [
        f"""INSERT INTO argilla_search_stage (n, place, body)
    SELECT r.n, f.place, {_raw()} FROM {table} argilla_search_record AS r
    CROSS JOIN json_each(NEW.fields) AS j CROSS JOIN argilla_search_field AS f
    WHERE r.record_id = NEW.id AND f.dataset_id = r.dataset_id AND f.name = j.key AND f.type <> 'image'
    AND j.type <> 'null'""",
        f"""UPDATE argilla_search_stage SET body = {_spaced()}
    WHERE length(body) <> length(CAST(body AS BLOB)) AND body GLOB '*[{spaceless}]*'""",
        f"""INSERT INTO argilla_search_text (rowid, {columns})
    SELECT n, {picked}, {shared} FROM (SELECT n, place, {_joined_words()} AS shown FROM argilla_search_stage)
    GROUP BY n""",
        "DELETE FROM argilla_search_stage",
    ]


def _raw() -> str:
    """Write a field's text: itself, a chat's roles and messages, or the keys and values of a custom field."""
    role = f"char({PRIVATE_ROLE}) || lower(hex(m.value ->> '$.role'))"
    chat = f"""SELECT group_concat(coalesce({role}, '') || ' ' || coalesce(m.value ->> '$.content', ''), ' ')
    FROM json_each(j.value) AS m WHERE m.type = 'object'"""
    leaf = """CASE t.type WHEN 'object' THEN '' WHEN 'array' THEN '' WHEN 'null' THEN 'None'
    WHEN 'true' THEN 'True' WHEN 'false' THEN 'False' ELSE t.atom END"""
    tree = f"""SELECT group_concat(CASE WHEN typeof(t.key) = 'text' THEN t.key || ' ' ELSE '' END || {leaf}, ' ')
    FROM json_tree(j.value) AS t"""
    structured = f"CASE WHEN f.type = 'chat' AND j.type = 'array' THEN ({chat}) ELSE ({tree}) END"
    return f"CASE WHEN j.type IN ('array', 'object') THEN {structured} ELSE CAST(j.value AS TEXT) END"


def _spaced() -> str:
    """Set apart ideographs, and runs of scripts without spaces; spell emoji as words."""
    single, katakana = glob_class("single"), glob_class("katakana")
    run, emoji = glob_class("run"), glob_class("emoji")
    kind = f"""CASE WHEN unicode(c) < 3584 THEN 0 WHEN c GLOB '[{single}]' THEN 1
    WHEN c GLOB '[{katakana}]' THEN 2 WHEN c GLOB '[{run}]' THEN 3 WHEN c GLOB '[{emoji}]' THEN 4 ELSE 0 END"""
    return f"""(WITH piece AS MATERIALIZED (
    SELECT h.i AS chunk, substr(body, h.i * 256 + 1, 256) AS part FROM argilla_search_counter AS h
    WHERE h.i * 256 < length(body)),
    letter AS MATERIALIZED (SELECT chunk, k.i, substr(part, k.i + 1, 1) AS c
    FROM piece CROSS JOIN argilla_search_counter AS k WHERE k.i < length(part)),
    kinds AS MATERIALIZED (SELECT chunk, i, c, {kind} AS kind FROM letter),
    turns AS MATERIALIZED (SELECT c, kind, lag(kind, 1, 0) OVER (ORDER BY chunk, i) AS before FROM kinds)
    SELECT group_concat(CASE WHEN kind IN (1, 4) OR kind <> before THEN ' ' ELSE '' END
    || CASE kind WHEN 4 THEN char({PRIVATE_EMOJI}) || printf('%x', unicode(c)) ELSE c END, '') FROM turns)"""


def _joined_words() -> str:
    """Keep the joiners within words, as letters of private use, and let all others separate."""
    # Most joiners stand before a space, and separate: they go first, which is cheap. Then the comma, since the cuts
    # themselves are written with it.
    quoted = "json_quote(body)"
    for joiner in ",.:;'":
        quoted = f"replace({quoted}, {_quote(joiner + ' ')}, ' ')"
    plain = _cut(quoted, [",", *(joiner for joiner in JOINERS if joiner.isascii() and joiner != ",")])
    further = _cut(plain, [joiner for joiner in JOINERS if not joiner.isascii()])
    cut = f"CASE WHEN length(body) = length(CAST(body AS BLOB)) THEN {plain} ELSE {further} END"
    letters, digits = glob_class("letter"), glob_class("digit")
    between = " AND ".join(
        f"({c} GLOB '[A-Za-z_]' OR ({c} > char(127) AND {c} GLOB '[{letters}]'))" for c in ("b", "c")
    )
    numeric = " AND ".join(f"({c} GLOB '[0-9]' OR ({c} > char(127) AND {c} GLOB '[{digits}]'))" for c in ("b", "c"))
    joins = f"""(instr({_quote(BETWEEN_LETTERS + BETWEEN_BOTH)}, m) AND {between})
    OR (instr({_quote(BETWEEN_DIGITS + BETWEEN_BOTH)}, m) AND {numeric})"""
    private = "".join(chr(PRIVATE_JOINER + place) for place in range(len(JOINERS)))
    stands = f"substr('{private}', instr({_quote(JOINERS)}, m), 1)"
    return f"""(WITH cut AS MATERIALIZED (SELECT key, value FROM json_each('[' || {cut} || ']')),
    met AS MATERIALIZED (SELECT value, key, substr(value, 1, 1) AS m, substr(value, 2, 1) AS c,
    lag(substr(value, -1)) OVER (ORDER BY key) AS b FROM cut)
    SELECT group_concat(CASE WHEN key = 0 THEN value WHEN {joins} THEN {stands} || substr(value, 2)
    ELSE ' ' || substr(value, 2) END, '') FROM met)"""


def _cut(text: str, joiners: list[str]) -> str:
    for joiner in joiners:
        text = f"replace({text}, {_quote(joiner)}, '\",\"' || {_quote(joiner)})"
    return text


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


ATTRIBUTE = "INSERT INTO argilla_search_attribute (dataset_id, owner_id, source, name, part, kind) "


def property_attribute(table: str = "") -> str:
    """Declare a metadata property's values."""
    kind = """CASE json_extract(NEW.settings, '$.type') WHEN 'terms' THEN 'text'
    ELSE json_extract(NEW.settings, '$.type') END"""
    return ATTRIBUTE + f"SELECT NEW.dataset_id, NEW.id, 'metadata', NEW.name, 'value', {kind} {table}"


def question_attributes(table: str = "") -> str:
    """Declare a question's suggestions, and its answers where they can be filtered by: labels and ratings."""
    kind = """CASE json_extract(NEW.settings, '$.type') WHEN 'rating' THEN 'integer' WHEN 'label_selection' THEN 'text'
    WHEN 'multi_label_selection' THEN 'text' END"""
    return f"""{ATTRIBUTE} SELECT NEW.dataset_id, NEW.id, p.column1, NEW.name, p.column2, coalesce(p.column3, {kind})
    FROM (VALUES ('response', 'value', NULL), ('suggestion', 'value', NULL), ('suggestion', 'score', 'float'),
    ('suggestion', 'agent', 'text'), ('suggestion', 'type', 'text')) AS p {table and "CROSS JOIN " + table}
    WHERE p.column3 IS NOT NULL OR {kind} IS NOT NULL"""


def field_row(table: str = "") -> str:
    """Give a field its place; a place stays its own while the dataset lives."""
    taken = "SELECT max(f.place) FROM argilla_search_field AS f WHERE f.dataset_id = NEW.dataset_id"
    earlier = "SELECT count(*) FROM fields AS e WHERE e.dataset_id = NEW.dataset_id AND e.rowid < NEW.rowid"
    place = f"({earlier})" if table else f"coalesce(({taken}) + 1, 0)"
    return f"""INSERT INTO argilla_search_field (id, dataset_id, name, place, type)
    SELECT NEW.id, NEW.dataset_id, NEW.name, min({place}, {COLUMNS - 1}),
    json_extract(NEW.settings, '$.type') {table}"""


def response_row(table: str = "") -> str:
    """Note who answered, and the status of the answer."""
    return f"""INSERT INTO argilla_search_response (n, dataset_id, user_id, status)
    SELECT r.n, r.dataset_id, NEW.user_id, NEW.status FROM {table} argilla_search_record AS r
    WHERE r.record_id = NEW.record_id"""


def vector_row(alive: int = 1, row: str = "NEW") -> list[str]:
    """Log that a vector changed or went; the log's number only grows."""
    return [
        f"""DELETE FROM argilla_search_vector
    WHERE settings_id = {row}.vector_settings_id AND record_id = {row}.record_id""",
        f"""INSERT INTO argilla_search_vector (settings_id, record_id, alive)
    SELECT {row}.vector_settings_id, {row}.record_id, {alive}""",
    ]


def triggers() -> list[str]:
    """Write every trigger; none of them looks at more than its own row and search's own tables."""
    number = "(SELECT n FROM argilla_search_record WHERE record_id = {})"
    of_record, of_old = number.format("NEW.id"), number.format("OLD.record_id")
    values = "DELETE FROM argilla_search_value WHERE n = {} AND a IN (SELECT a FROM argilla_search_attribute WHERE {})"
    old_metadata = values.format(of_record, "dataset_id = NEW.dataset_id AND source = 'metadata'")
    old_answers = values.format(of_old, "source = 'response'") + " AND user_id = OLD.user_id"
    old_suggestion = values.format(of_old, "owner_id = OLD.question_id AND source = 'suggestion'")
    old_response = f"DELETE FROM argilla_search_response WHERE n = {of_old} AND user_id = OLD.user_id"
    gone = number.format("OLD.id")
    forget = [f"DELETE FROM argilla_search_{table} WHERE n = {gone}" for table in ("value", "response")]
    forget += [f"DELETE FROM argilla_search_text WHERE rowid = {gone}"]
    forget += ["DELETE FROM argilla_search_record WHERE record_id = OLD.id"]
    copied = ", ".join(f"{c} = NEW.{c}" for c in ("status", "external_id", "inserted_at", "updated_at", "dataset_id"))
    gone_attribute = [
        "DELETE FROM argilla_search_value WHERE a IN (SELECT a FROM argilla_search_attribute WHERE owner_id = OLD.id)",
        "DELETE FROM argilla_search_attribute WHERE owner_id = OLD.id",
    ]
    gone_settings = [f"DELETE FROM argilla_search_{table} WHERE settings_id = OLD.id" for table in ("units", "vector")]
    only = "AND w.dataset_id = NEW.dataset_id AND a.owner_id = NEW.id"
    late = metadata_values("records AS w CROSS JOIN", "w", only)
    return [
        _trigger("record_insert", "AFTER INSERT ON records", [record_row(), metadata_values(), *record_text()]),
        _trigger(
            "record_fields",
            "AFTER UPDATE OF fields ON records WHEN OLD.fields IS NOT NEW.fields",
            [f"DELETE FROM argilla_search_text WHERE rowid = {of_record}", *record_text()],
        ),
        _trigger(
            "record_metadata",
            "AFTER UPDATE OF metadata ON records WHEN OLD.metadata IS NOT NEW.metadata",
            [old_metadata, metadata_values()],
        ),
        _trigger(
            "record_update",
            "AFTER UPDATE OF status, external_id, inserted_at, updated_at, dataset_id ON records",
            [f"UPDATE argilla_search_record SET {copied} WHERE record_id = NEW.id"],
        ),
        _trigger("record_delete", "AFTER DELETE ON records", forget),
        _trigger("response_insert", "AFTER INSERT ON responses", [response_row(), response_values()]),
        _trigger(
            "response_update",
            "AFTER UPDATE ON responses",
            [old_answers, old_response, response_row(), response_values()],
        ),
        _trigger("response_delete", "AFTER DELETE ON responses", [old_answers, old_response]),
        _trigger("suggestion_insert", "AFTER INSERT ON suggestions", [suggestion_values()]),
        _trigger("suggestion_update", "AFTER UPDATE ON suggestions", [old_suggestion, suggestion_values()]),
        _trigger("suggestion_delete", "AFTER DELETE ON suggestions", [old_suggestion]),
        _trigger("field_insert", "AFTER INSERT ON fields", [field_row()]),
        _trigger("field_delete", "AFTER DELETE ON fields", ["DELETE FROM argilla_search_field WHERE id = OLD.id"]),
        _trigger("question_insert", "AFTER INSERT ON questions", [question_attributes()]),
        _trigger("question_delete", "AFTER DELETE ON questions", gone_attribute),
        _trigger("property_insert", "AFTER INSERT ON metadata_properties", [property_attribute(), late]),
        _trigger("property_delete", "AFTER DELETE ON metadata_properties", gone_attribute),
        _trigger("vector_insert", "AFTER INSERT ON vectors", vector_row()),
        _trigger("vector_update", "AFTER UPDATE ON vectors", [*vector_row(0, "OLD"), *vector_row()]),
        _trigger("vector_delete", "AFTER DELETE ON vectors", vector_row(0, "OLD")),
        _trigger("settings_delete", "AFTER DELETE ON vectors_settings", gone_settings),
    ]


def rebuilt() -> list[str]:
    """Write the statements that store all that is there already, in the order of insertion."""
    records = "records AS NEW CROSS JOIN"
    return [
        field_row("FROM fields AS NEW ORDER BY NEW.rowid"),
        property_attribute("FROM metadata_properties AS NEW"),
        question_attributes("questions AS NEW"),
        record_row("FROM records AS NEW ORDER BY NEW.inserted_at, NEW.rowid"),
        metadata_values(records),
        *record_text(records),
        response_row("responses AS NEW CROSS JOIN"),
        response_values("responses AS NEW CROSS JOIN"),
        suggestion_values("suggestions AS NEW CROSS JOIN"),
        f"{vector_row()[1]} FROM vectors AS NEW ORDER BY NEW.rowid",
    ]


def _trigger(name: str, when: str, statements: list[str]) -> str:
    body = "".join(f"{statement};\n" for statement in statements)
    return f"CREATE TRIGGER argilla_search_{name} {when} BEGIN\n{body}END"
