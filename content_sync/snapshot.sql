-- The snapshot: our copy of the source. One transaction per sync, so it is always whole.
-- `version` is what the source's version column held, or a hash of the row where the
-- view carries none; it is compared and never interpreted. An empty BLOB stands for a row
-- whose version says nothing (NULL, or its key is there twice): it is read every time.
--
-- References (venue_id, person_id, publication_id …) are kept as the source gives them and
-- may name a record that is not there: not yet, no longer, or left out by a rule. Such a
-- reference is reported in `problems` and heals by itself when the record appears. So
-- readers always join: what a page shows is only what joins. One column is different,
-- because a cycle cannot be joined away: see `topics.parent_id`.

-- id (of this file: another one after it was made anew), source (identity of the database), views (JSON list of those it had), first_sync (the
-- sync that made this file: `touched` tells about later ones), kept_from (the oldest sync
-- that `changes` and `touched` still tell about).
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;

-- A row is one sync that landed.
CREATE TABLE syncs (
    number   INTEGER PRIMARY KEY,
    started  TEXT NOT NULL,   -- UTC, ISO 8601
    finished TEXT NOT NULL,
    is_demo  INTEGER NOT NULL,
    counts   TEXT NOT NULL    -- JSON: view -> {"rows", "added", "changed", "gone", "left_out"}
);

-- A row is one record that a sync added, changed or found gone. Changes of child rows
-- (people, topics of a publication …) count as changes of their parent.
CREATE TABLE changes (
    sync   INTEGER NOT NULL,
    type   TEXT NOT NULL,     -- publication, person, venue … redirect
    id     TEXT NOT NULL,
    change TEXT NOT NULL,     -- added, changed, gone
    PRIMARY KEY (sync, type, id)
) WITHOUT ROWID;

-- A row is one thing whose pages may have to be made again because of a sync: every
-- changed record and all that its old and its new relations name.
CREATE TABLE touched (
    sync INTEGER NOT NULL,
    type TEXT NOT NULL,       -- a record type, or letter, year, venue_year, theme, programme, redirect
    id   TEXT NOT NULL,       -- 2019 or undated; <venue>/2019 or <venue>/undated; a name; old path
    PRIMARY KEY (sync, type, id)
) WITHOUT ROWID;

-- A row is one rule that one row of the source breaks.
CREATE TABLE problems (
    view       TEXT NOT NULL,
    key        TEXT NOT NULL,     -- parts of a longer key are joined by '/'; '' if it has none
    column     TEXT NOT NULL,
    rule       TEXT NOT NULL,
    reason     TEXT NOT NULL,
    first_seen INTEGER NOT NULL,  -- sync
    PRIMARY KEY (view, key, column, rule)
) WITHOUT ROWID;

-- A row is one row of the source that a rule left out: seen, and not to be read again
-- until its version changes.
CREATE TABLE left_out (
    view    TEXT NOT NULL,
    key     TEXT NOT NULL,        -- parts of a longer key are joined by a tab
    version BLOB NOT NULL,
    PRIMARY KEY (view, key)
) WITHOUT ROWID;

CREATE TABLE institutions (
    id TEXT PRIMARY KEY, name TEXT NOT NULL,
    ror TEXT,                  -- bare: 042nb2s44
    city TEXT, country TEXT,
    is_member_company INTEGER NOT NULL, version BLOB NOT NULL
);
CREATE TABLE people (
    id TEXT PRIMARY KEY, given_name TEXT, family_name TEXT, orcid TEXT, institution_id TEXT,
    home_page TEXT, is_student INTEGER NOT NULL,
    sort_name TEXT NOT NULL,   -- folded for ordering: family name first
    letter    TEXT NOT NULL,   -- a to z, or 0 for all else
    version BLOB NOT NULL
);
CREATE INDEX people_by_letter ON people (letter, sort_name, id);
CREATE INDEX people_by_institution ON people (institution_id) WHERE institution_id IS NOT NULL;
CREATE TABLE person_names (
    person_id TEXT NOT NULL, name TEXT NOT NULL, version BLOB NOT NULL,
    PRIMARY KEY (person_id, name)
) WITHOUT ROWID;
CREATE TABLE people_accounts (
    person_id TEXT NOT NULL, address TEXT NOT NULL, version BLOB NOT NULL,
    PRIMARY KEY (person_id, address)
) WITHOUT ROWID;
CREATE TABLE venues (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, short_name TEXT, issn TEXT, url TEXT,
    version BLOB NOT NULL
);
CREATE TABLE topics (
    id TEXT PRIMARY KEY, name TEXT NOT NULL,
    given_parent_id TEXT,  -- as the source says
    parent_id TEXT,        -- the same where that topic exists and no cycle arises: a forest
    version BLOB NOT NULL
);
CREATE INDEX topics_by_parent ON topics (parent_id);
CREATE TABLE publications (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, abstract TEXT, kind TEXT NOT NULL,
    year INTEGER, month INTEGER, day INTEGER, venue_id TEXT, published_in TEXT, volume TEXT,
    issue TEXT, pages TEXT, publisher TEXT, doi TEXT, url TEXT, file_path TEXT,
    language TEXT, licence TEXT, access TEXT NOT NULL, public_on TEXT, status TEXT NOT NULL,
    status_reason TEXT, status_date TEXT, replaced_by TEXT, version BLOB NOT NULL
);
CREATE INDEX publications_by_venue ON publications (venue_id, year);
CREATE INDEX publications_by_year ON publications (year);
CREATE INDEX publications_by_opening ON publications (public_on) WHERE public_on IS NOT NULL;
CREATE INDEX publications_by_replacement ON publications (replaced_by) WHERE replaced_by IS NOT NULL;
CREATE TABLE publication_people (
    publication_id TEXT NOT NULL, role TEXT NOT NULL, position INTEGER NOT NULL,
    person_id TEXT, name TEXT NOT NULL, affiliation TEXT, version BLOB NOT NULL,
    PRIMARY KEY (publication_id, role, position)
) WITHOUT ROWID;
CREATE INDEX publication_people_by_person ON publication_people (person_id);
CREATE TABLE publication_topics (
    publication_id TEXT NOT NULL, topic_id TEXT NOT NULL, version BLOB NOT NULL,
    PRIMARY KEY (publication_id, topic_id)
) WITHOUT ROWID;
CREATE INDEX publication_topics_by_topic ON publication_topics (topic_id);
CREATE TABLE projects (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, summary TEXT, programme TEXT, theme TEXT,
    starts_on TEXT, ends_on TEXT, status TEXT, budget TEXT, currency TEXT,
    lead_person_id TEXT, institution_id TEXT, url TEXT, access TEXT NOT NULL,
    version BLOB NOT NULL
);
CREATE INDEX projects_by_institution ON projects (institution_id);
CREATE INDEX projects_by_lead ON projects (lead_person_id);
CREATE INDEX projects_by_theme ON projects (theme) WHERE theme IS NOT NULL;
CREATE INDEX projects_by_programme ON projects (programme) WHERE programme IS NOT NULL;
CREATE TABLE project_people (
    project_id TEXT NOT NULL, person_id TEXT NOT NULL, role TEXT NOT NULL,
    position INTEGER NOT NULL, version BLOB NOT NULL,
    PRIMARY KEY (project_id, person_id, role)
) WITHOUT ROWID;
CREATE INDEX project_people_by_person ON project_people (person_id);
CREATE TABLE project_publications (
    project_id TEXT NOT NULL, publication_id TEXT NOT NULL, version BLOB NOT NULL,
    PRIMARY KEY (project_id, publication_id)
) WITHOUT ROWID;
CREATE INDEX project_publications_by_publication ON project_publications (publication_id);
CREATE TABLE deliverables (
    id TEXT PRIMARY KEY, project_id TEXT NOT NULL, title TEXT NOT NULL, due_on TEXT,
    submitted_on TEXT, accepted_on TEXT, status TEXT, access TEXT NOT NULL,
    version BLOB NOT NULL
);
CREATE INDEX deliverables_by_project ON deliverables (project_id);
CREATE TABLE deliverable_publications (
    deliverable_id TEXT NOT NULL, publication_id TEXT NOT NULL, version BLOB NOT NULL,
    PRIMARY KEY (deliverable_id, publication_id)
) WITHOUT ROWID;
CREATE INDEX deliverable_publications_by_publication ON deliverable_publications (publication_id);
CREATE TABLE events (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, description TEXT, starts_at TEXT, ends_at TEXT,
    timezone TEXT, place TEXT, status TEXT NOT NULL, capacity INTEGER,
    registration_opens_at TEXT, registration_closes_at TEXT, form TEXT,
    answers_kept_days INTEGER, access TEXT NOT NULL, version BLOB NOT NULL
);
CREATE TABLE event_organisers (
    event_id TEXT NOT NULL, person_id TEXT NOT NULL, position INTEGER NOT NULL,
    version BLOB NOT NULL,
    PRIMARY KEY (event_id, person_id)
) WITHOUT ROWID;
CREATE INDEX event_organisers_by_person ON event_organisers (person_id);
CREATE TABLE event_sessions (
    id TEXT PRIMARY KEY, event_id TEXT NOT NULL, title TEXT NOT NULL, starts_at TEXT,
    ends_at TEXT, place TEXT, position INTEGER NOT NULL, version BLOB NOT NULL
);
CREATE INDEX event_sessions_by_event ON event_sessions (event_id);
CREATE TABLE session_speakers (
    session_id TEXT NOT NULL, position INTEGER NOT NULL, person_id TEXT, name TEXT NOT NULL,
    version BLOB NOT NULL,
    PRIMARY KEY (session_id, position)
) WITHOUT ROWID;
CREATE INDEX session_speakers_by_person ON session_speakers (person_id);
CREATE TABLE session_publications (
    session_id TEXT NOT NULL, publication_id TEXT NOT NULL, version BLOB NOT NULL,
    PRIMARY KEY (session_id, publication_id)
) WITHOUT ROWID;
CREATE INDEX session_publications_by_publication ON session_publications (publication_id);
CREATE TABLE redirects (
    old_path TEXT PRIMARY KEY, target TEXT NOT NULL, version BLOB NOT NULL
);
