-- The source contract in T-SQL: the schema `web` with every column that Nightpress reads.
-- Run it as it stands to keep the records in tables of their own, or make views of the same
-- names and columns over the tables that you have:
--
--     CREATE VIEW web.venues AS
--     SELECT CAST(v.venue_no AS NVARCHAR(200)) AS id, v.title AS name, v.acronym AS short_name,
--            v.issn, NULL AS url, v.changed AS version          -- a ROWVERSION column
--     FROM dbo.Venue AS v;
--
-- A view over one base table carries `version`, a value that changes with each change of its
-- row. A view that joins carries none, because it would miss changes in the tables it joins;
-- it is read whole and compared by content. Only `publications` is mandatory; a view that you
-- do not have leaves out its section of the site. Nightpress needs SELECT on this schema and
-- nothing else, and ALLOW_SNAPSHOT_ISOLATION, so that it neither waits for others nor blocks
-- them:
--
--     ALTER DATABASE CURRENT SET ALLOW_SNAPSHOT_ISOLATION ON;

CREATE SCHEMA web;
GO

-- A row is one published work.
CREATE TABLE web.publications (
    id            NVARCHAR(200)  NOT NULL PRIMARY KEY,
    title         NVARCHAR(2000) NOT NULL,
    abstract      NVARCHAR(MAX)  NULL,
    kind          NVARCHAR(40)   NULL,  -- journal article, conference paper, report, thesis, presentation, patent, dataset, software, book, book chapter, proceedings, other
    year          SMALLINT       NULL,
    month         TINYINT        NULL,  -- 1 to 12, may be missing
    day           TINYINT        NULL,  -- may be missing
    venue_id      NVARCHAR(200)  NULL,  -- where it appeared: journal or conference series
    published_in  NVARCHAR(2000) NULL,  -- title of the proceedings, book or issue, as printed
    volume        NVARCHAR(100)  NULL,
    issue         NVARCHAR(100)  NULL,
    pages         NVARCHAR(100)  NULL,
    publisher     NVARCHAR(400)  NULL,
    doi           NVARCHAR(400)  NULL,
    url           NVARCHAR(2000) NULL,
    file_path     NVARCHAR(1000) NULL,  -- full text, relative to the root that the settings name
    language      NVARCHAR(40)   NULL,  -- BCP 47 or ISO 639
    licence       NVARCHAR(400)  NULL,  -- SPDX identifier or URL
    access        NVARCHAR(10)   NOT NULL DEFAULT N'members',  -- public, abstract (landing page public, full text for members), members
    public_on     DATE           NULL,  -- date from which the record is public
    status        NVARCHAR(10)   NOT NULL DEFAULT N'current',  -- current, corrected, retracted, withdrawn
    status_reason NVARCHAR(MAX)  NULL,
    status_date   DATE           NULL,
    replaced_by   NVARCHAR(200)  NULL,  -- id of the publication that replaces this one
    version       ROWVERSION     NOT NULL
);

-- A row is one person in one role on one publication, in printed order.
CREATE TABLE web.publication_people (
    publication_id NVARCHAR(200)  NOT NULL,
    role           NVARCHAR(10)   NOT NULL DEFAULT N'author',  -- author, editor
    position       INT            NOT NULL,                    -- order within the role, ascending
    person_id      NVARCHAR(200)  NULL,                        -- may be missing
    name           NVARCHAR(1000) NOT NULL,                    -- as printed
    affiliation    NVARCHAR(1000) NULL,                        -- as printed
    version        ROWVERSION     NOT NULL,
    PRIMARY KEY (publication_id, role, position)
);

-- A row says that one publication is about one topic.
CREATE TABLE web.publication_topics (
    publication_id NVARCHAR(200) NOT NULL,
    topic_id       NVARCHAR(200) NOT NULL,
    version        ROWVERSION    NOT NULL,
    PRIMARY KEY (publication_id, topic_id)
);

-- A row is one person: an identity, not a printed name.
CREATE TABLE web.people (
    id             NVARCHAR(200)  NOT NULL PRIMARY KEY,
    given_name     NVARCHAR(1000) NULL,
    family_name    NVARCHAR(1000) NULL,
    orcid          NVARCHAR(100)  NULL,
    institution_id NVARCHAR(200)  NULL,
    home_page      NVARCHAR(2000) NULL,
    is_student     BIT            NOT NULL DEFAULT 0,
    version        ROWVERSION     NOT NULL
);

-- A row is one further form of a person's name, in any script.
CREATE TABLE web.person_names (
    person_id NVARCHAR(200) NOT NULL,
    name      NVARCHAR(250) NOT NULL,
    version   ROWVERSION    NOT NULL,
    PRIMARY KEY (person_id, name)
);

-- A row is one confirmed e-mail address of one person; it is never published.
CREATE TABLE web.people_accounts (
    person_id NVARCHAR(200) NOT NULL,
    address   NVARCHAR(250) NOT NULL,
    version   ROWVERSION    NOT NULL,
    PRIMARY KEY (person_id, address)
);

-- A row is one organisation that people and projects belong to.
CREATE TABLE web.institutions (
    id                NVARCHAR(200)  NOT NULL PRIMARY KEY,
    name              NVARCHAR(1000) NOT NULL,
    ror               NVARCHAR(100)  NULL,  -- https://ror.org/ identifier
    city              NVARCHAR(400)  NULL,
    country           NVARCHAR(400)  NULL,  -- ISO 3166 code or name
    is_member_company BIT            NOT NULL DEFAULT 0,
    version           ROWVERSION     NOT NULL
);

-- A row is one venue: a journal, a conference series, a report series.
CREATE TABLE web.venues (
    id         NVARCHAR(200)  NOT NULL PRIMARY KEY,
    name       NVARCHAR(1000) NOT NULL,
    short_name NVARCHAR(400)  NULL,
    issn       NVARCHAR(40)   NULL,
    url        NVARCHAR(2000) NULL,
    version    ROWVERSION     NOT NULL
);

-- A row is one topic in a tree of topics.
CREATE TABLE web.topics (
    id        NVARCHAR(200)  NOT NULL PRIMARY KEY,
    name      NVARCHAR(1000) NOT NULL,
    parent_id NVARCHAR(200)  NULL,
    version   ROWVERSION     NOT NULL
);

-- A row is one research project; programme and theme place it in the research.
CREATE TABLE web.projects (
    id             NVARCHAR(200)  NOT NULL PRIMARY KEY,
    title          NVARCHAR(2000) NOT NULL,
    summary        NVARCHAR(MAX)  NULL,
    programme      NVARCHAR(400)  NULL,
    theme          NVARCHAR(400)  NULL,
    starts_on      DATE           NULL,
    ends_on        DATE           NULL,
    status         NVARCHAR(10)   NULL,  -- planned, running, ended, stopped
    budget         DECIMAL(19, 4) NULL,
    currency       NCHAR(3)       NULL,  -- ISO 4217
    lead_person_id NVARCHAR(200)  NULL,
    institution_id NVARCHAR(200)  NULL,
    url            NVARCHAR(2000) NULL,
    access         NVARCHAR(10)   NOT NULL DEFAULT N'members',  -- public, members
    version        ROWVERSION     NOT NULL
);

-- A row is one person's role in one project.
CREATE TABLE web.project_people (
    project_id NVARCHAR(200) NOT NULL,
    person_id  NVARCHAR(200) NOT NULL,
    role       NVARCHAR(40)  NOT NULL DEFAULT N'member',
    position   INT           NOT NULL DEFAULT 0,
    version    ROWVERSION    NOT NULL,
    PRIMARY KEY (project_id, person_id, role)
);

-- A row says that one publication came out of one project.
CREATE TABLE web.project_publications (
    project_id     NVARCHAR(200) NOT NULL,
    publication_id NVARCHAR(200) NOT NULL,
    version        ROWVERSION    NOT NULL,
    PRIMARY KEY (project_id, publication_id)
);

-- A row is one result that a project owes, with its plan and what came of it.
CREATE TABLE web.deliverables (
    id           NVARCHAR(200)  NOT NULL PRIMARY KEY,
    project_id   NVARCHAR(200)  NOT NULL,
    title        NVARCHAR(2000) NOT NULL,
    due_on       DATE           NULL,
    submitted_on DATE           NULL,
    accepted_on  DATE           NULL,
    status       NVARCHAR(10)   NULL,  -- planned, submitted, accepted, dropped
    access       NVARCHAR(10)   NOT NULL DEFAULT N'members',  -- public, members
    version      ROWVERSION     NOT NULL
);

-- A row says that one deliverable was handed in as, or led to, one publication.
CREATE TABLE web.deliverable_publications (
    deliverable_id NVARCHAR(200) NOT NULL,
    publication_id NVARCHAR(200) NOT NULL,
    version        ROWVERSION    NOT NULL,
    PRIMARY KEY (deliverable_id, publication_id)
);

-- A row is one event that people attend. Times are local to `timezone`.
CREATE TABLE web.events (
    id                     NVARCHAR(200)  NOT NULL PRIMARY KEY,
    title                  NVARCHAR(2000) NOT NULL,
    description            NVARCHAR(MAX)  NULL,
    starts_at              DATETIME2(0)   NULL,
    ends_at                DATETIME2(0)   NULL,
    timezone               NVARCHAR(100)  NULL,  -- IANA name, such as Europe/Berlin
    place                  NVARCHAR(1000) NULL,
    status                 NVARCHAR(10)   NOT NULL DEFAULT N'planned',  -- planned, postponed, cancelled
    capacity               INT            NULL,
    registration_opens_at  DATETIME2(0)   NULL,
    registration_closes_at DATETIME2(0)   NULL,
    form                   NVARCHAR(MAX)  NULL,  -- JSON: the questions of the registration form
    answers_kept_days      INT            NULL,
    access                 NVARCHAR(10)   NOT NULL DEFAULT N'members',  -- public, members
    version                ROWVERSION     NOT NULL
);

-- A row is one organiser of one event.
CREATE TABLE web.event_organisers (
    event_id  NVARCHAR(200) NOT NULL,
    person_id NVARCHAR(200) NOT NULL,
    position  INT           NOT NULL DEFAULT 0,
    version   ROWVERSION    NOT NULL,
    PRIMARY KEY (event_id, person_id)
);

-- A row is one entry of an event's agenda.
CREATE TABLE web.event_sessions (
    id        NVARCHAR(200)  NOT NULL PRIMARY KEY,
    event_id  NVARCHAR(200)  NOT NULL,
    title     NVARCHAR(2000) NOT NULL,
    starts_at DATETIME2(0)   NULL,
    ends_at   DATETIME2(0)   NULL,
    place     NVARCHAR(1000) NULL,
    position  INT            NOT NULL DEFAULT 0,
    version   ROWVERSION     NOT NULL
);

-- A row is one speaker of one session.
CREATE TABLE web.session_speakers (
    session_id NVARCHAR(200)  NOT NULL,
    position   INT            NOT NULL,
    person_id  NVARCHAR(200)  NULL,
    name       NVARCHAR(1000) NOT NULL,
    version    ROWVERSION     NOT NULL,
    PRIMARY KEY (session_id, position)
);

-- A row says that one publication is presented in one session.
CREATE TABLE web.session_publications (
    session_id     NVARCHAR(200) NOT NULL,
    publication_id NVARCHAR(200) NOT NULL,
    version        ROWVERSION    NOT NULL,
    PRIMARY KEY (session_id, publication_id)
);

-- A row is one path of an older website and where it leads now.
CREATE TABLE web.redirects (
    old_path NVARCHAR(450)  NOT NULL PRIMARY KEY,  -- /pubs/show.asp?id=17 or /pubs/17
    target   NVARCHAR(1000) NOT NULL,              -- a path of this site, or type:id of a record
    version  ROWVERSION     NOT NULL
);
