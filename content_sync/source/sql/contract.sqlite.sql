-- The source contract in SQLite's dialect: the tables of an embedded source database.
-- On a database server the same names and columns are views in the schema `web`
-- (see contract.tsql.sql). A view over one base table carries `version`, a value that
-- changes with each change of its row; a view that joins carries none, because it
-- would miss changes in the tables it joins. Only `publications` is mandatory.

-- A row is one published work.
CREATE TABLE publications (
    id            TEXT NOT NULL PRIMARY KEY,
    title         TEXT NOT NULL,
    abstract      TEXT,
    kind          TEXT,     -- journal article, conference paper, report, thesis, presentation, patent, dataset, software, book, other
    year          INTEGER,
    month         INTEGER,  -- 1 to 12, may be missing
    day           INTEGER,  -- may be missing
    venue_id      TEXT,     -- where it appeared: journal or conference series
    published_in  TEXT,     -- title of the proceedings, book or issue, as printed
    volume        TEXT,
    issue         TEXT,
    pages         TEXT,
    publisher     TEXT,
    doi           TEXT,
    url           TEXT,
    file_path     TEXT,     -- full text, relative to the root that the settings name
    language      TEXT,     -- BCP 47 or ISO 639
    licence       TEXT,     -- SPDX identifier or URL
    access        TEXT NOT NULL DEFAULT 'members',  -- public, abstract (landing page public, full text for members), members
    public_on     TEXT,     -- date from which the record is public
    status        TEXT NOT NULL DEFAULT 'current',  -- current, corrected, retracted, withdrawn
    status_reason TEXT,
    status_date   TEXT,
    replaced_by   TEXT,     -- id of the publication that replaces this one
    version       INTEGER NOT NULL DEFAULT 1
);

-- A row is one person in one role on one publication, in printed order.
CREATE TABLE publication_people (
    publication_id TEXT NOT NULL,
    role           TEXT NOT NULL DEFAULT 'author',  -- author, editor
    position       INTEGER NOT NULL,                -- order within the role, ascending
    person_id      TEXT,                            -- may be missing
    name           TEXT NOT NULL,                   -- as printed
    affiliation    TEXT,                            -- as printed
    version        INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (publication_id, role, position)
);

-- A row says that one publication is about one topic.
CREATE TABLE publication_topics (
    publication_id TEXT NOT NULL,
    topic_id       TEXT NOT NULL,
    version        INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (publication_id, topic_id)
);

-- A row is one person: an identity, not a printed name.
CREATE TABLE people (
    id             TEXT NOT NULL PRIMARY KEY,
    given_name     TEXT,
    family_name    TEXT,
    orcid          TEXT,
    institution_id TEXT,
    home_page      TEXT,
    is_student     INTEGER NOT NULL DEFAULT 0,
    version        INTEGER NOT NULL DEFAULT 1
);

-- A row is one further form of a person's name, in any script.
CREATE TABLE person_names (
    person_id TEXT NOT NULL,
    name      TEXT NOT NULL,
    version   INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (person_id, name)
);

-- A row is one confirmed e-mail address of one person; it is never published.
CREATE TABLE people_accounts (
    person_id TEXT NOT NULL,
    address   TEXT NOT NULL,
    version   INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (person_id, address)
);

-- A row is one organisation that people and projects belong to.
CREATE TABLE institutions (
    id                TEXT NOT NULL PRIMARY KEY,
    name              TEXT NOT NULL,
    ror               TEXT,   -- https://ror.org/ identifier
    city              TEXT,
    country           TEXT,   -- ISO 3166 code or name
    is_member_company INTEGER NOT NULL DEFAULT 0,
    version           INTEGER NOT NULL DEFAULT 1
);

-- A row is one venue: a journal, a conference series, a report series.
CREATE TABLE venues (
    id         TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    short_name TEXT,
    issn       TEXT,
    url        TEXT,
    version    INTEGER NOT NULL DEFAULT 1
);

-- A row is one topic in a tree of topics.
CREATE TABLE topics (
    id        TEXT NOT NULL PRIMARY KEY,
    name      TEXT NOT NULL,
    parent_id TEXT,
    version   INTEGER NOT NULL DEFAULT 1
);

-- A row is one research project; programme and theme place it in the research.
CREATE TABLE projects (
    id             TEXT NOT NULL PRIMARY KEY,
    title          TEXT NOT NULL,
    summary        TEXT,
    programme      TEXT,
    theme          TEXT,
    starts_on      TEXT,
    ends_on        TEXT,
    status         TEXT,      -- planned, running, ended, stopped
    budget         NUMERIC,
    currency       TEXT,      -- ISO 4217
    lead_person_id TEXT,
    institution_id TEXT,
    url            TEXT,
    access         TEXT NOT NULL DEFAULT 'members',  -- public, members
    version        INTEGER NOT NULL DEFAULT 1
);

-- A row is one person's role in one project.
CREATE TABLE project_people (
    project_id TEXT NOT NULL,
    person_id  TEXT NOT NULL,
    role       TEXT NOT NULL DEFAULT 'member',
    position   INTEGER NOT NULL DEFAULT 0,
    version    INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (project_id, person_id, role)
);

-- A row says that one publication came out of one project.
CREATE TABLE project_publications (
    project_id     TEXT NOT NULL,
    publication_id TEXT NOT NULL,
    version        INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (project_id, publication_id)
);

-- A row is one result that a project owes, with its plan and what came of it.
CREATE TABLE deliverables (
    id           TEXT NOT NULL PRIMARY KEY,
    project_id   TEXT NOT NULL,
    title        TEXT NOT NULL,
    due_on       TEXT,
    submitted_on TEXT,
    accepted_on  TEXT,
    status       TEXT,        -- planned, submitted, accepted, dropped
    access       TEXT NOT NULL DEFAULT 'members',  -- public, members
    version      INTEGER NOT NULL DEFAULT 1
);

-- A row says that one deliverable was handed in as, or led to, one publication.
CREATE TABLE deliverable_publications (
    deliverable_id TEXT NOT NULL,
    publication_id TEXT NOT NULL,
    version        INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (deliverable_id, publication_id)
);

-- A row is one event that people attend. Times are local to `timezone`.
CREATE TABLE events (
    id                      TEXT NOT NULL PRIMARY KEY,
    title                   TEXT NOT NULL,
    description             TEXT,
    starts_at               TEXT,   -- 2027-01-19T09:00
    ends_at                 TEXT,
    timezone                TEXT,   -- IANA name, such as Europe/Berlin
    place                   TEXT,
    status                  TEXT NOT NULL DEFAULT 'planned',  -- planned, postponed, cancelled
    capacity                INTEGER,
    registration_opens_at   TEXT,
    registration_closes_at  TEXT,
    form                    TEXT,   -- JSON: the questions of the registration form
    answers_kept_days       INTEGER,
    access                  TEXT NOT NULL DEFAULT 'members',  -- public, members
    version                 INTEGER NOT NULL DEFAULT 1
);

-- A row is one organiser of one event.
CREATE TABLE event_organisers (
    event_id  TEXT NOT NULL,
    person_id TEXT NOT NULL,
    position  INTEGER NOT NULL DEFAULT 0,
    version   INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (event_id, person_id)
);

-- A row is one entry of an event's agenda.
CREATE TABLE event_sessions (
    id        TEXT NOT NULL PRIMARY KEY,
    event_id  TEXT NOT NULL,
    title     TEXT NOT NULL,
    starts_at TEXT,
    ends_at   TEXT,
    place     TEXT,
    position  INTEGER NOT NULL DEFAULT 0,
    version   INTEGER NOT NULL DEFAULT 1
);

-- A row is one speaker of one session.
CREATE TABLE session_speakers (
    session_id TEXT NOT NULL,
    position   INTEGER NOT NULL,
    person_id  TEXT,
    name       TEXT NOT NULL,
    version    INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (session_id, position)
);

-- A row says that one publication is presented in one session.
CREATE TABLE session_publications (
    session_id     TEXT NOT NULL,
    publication_id TEXT NOT NULL,
    version        INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (session_id, publication_id)
);

-- A row is one path of an older website and where it leads now.
CREATE TABLE redirects (
    old_path TEXT NOT NULL PRIMARY KEY,  -- /pubs/show.asp?id=17 or /pubs/17
    target   TEXT NOT NULL,              -- a path of this site, or type:id of a record
    version  INTEGER NOT NULL DEFAULT 1
);
