-- An example of a business database, for a trial: the tables of an office that keeps an
-- institute's papers, people and projects in its own way (schema `office`), and the views of
-- the contract over them (schema `web`). Nothing here is read by Nightpress but the views.

CREATE SCHEMA office;
GO

-- A row is one organisation.
CREATE TABLE office.Organisation (
    code     CHAR(8)       NOT NULL PRIMARY KEY,
    title    NVARCHAR(400) NOT NULL,
    town     NVARCHAR(200) NULL,
    country  CHAR(2)       NULL,
    partner  BIT           NOT NULL DEFAULT 0,
    changed  ROWVERSION    NOT NULL
);
GO

-- A row is one person whom the office knows.
CREATE TABLE office.Person (
    person_guid  UNIQUEIDENTIFIER NOT NULL PRIMARY KEY,
    first_names  NVARCHAR(200)    NULL,
    surname      NVARCHAR(200)    NULL,
    orcid        CHAR(19)         NULL,
    organisation CHAR(8)          NULL,
    is_student   BIT              NOT NULL DEFAULT 0,
    changed      ROWVERSION       NOT NULL
);
GO

-- A row is one journal, conference or series.
CREATE TABLE office.Outlet (
    outlet_no INT           NOT NULL PRIMARY KEY,
    title     NVARCHAR(400) NOT NULL,
    acronym   NVARCHAR(40)  NULL,
    issn      CHAR(9)       NULL,
    changed   ROWVERSION    NOT NULL
);
GO

-- A row is one keyword; keywords form a tree.
CREATE TABLE office.Keyword (
    keyword_no INT           NOT NULL PRIMARY KEY,
    word       NVARCHAR(200) NOT NULL,
    above      INT           NULL,
    changed    ROWVERSION    NOT NULL
);
GO

-- A row is one paper, report, thesis or patent.
CREATE TABLE office.Paper (
    paper_code    CHAR(12)          NOT NULL PRIMARY KEY,
    title         NVARCHAR(1000)    NOT NULL,
    summary       NVARCHAR(MAX)     NULL,
    sort_of_paper TINYINT           NOT NULL,  -- 1 article, 2 conference, 3 report, 4 thesis
    appeared      DATE              NULL,
    outlet_no     INT               NULL,
    pages         VARCHAR(40)       NULL,
    doi           VARCHAR(200)      NULL,
    file_name     NVARCHAR(400)     NULL,
    audience      CHAR(1)           NOT NULL DEFAULT 'M',  -- P public, A abstract, M members
    embargo_until DATETIMEOFFSET(0) NULL,
    withdrawn     BIT               NOT NULL DEFAULT 0,
    changed       ROWVERSION        NOT NULL
);
GO

-- A row is one name on one paper, in the order of print.
CREATE TABLE office.PaperPerson (
    paper_code  CHAR(12)         NOT NULL,
    place       INT              NOT NULL,
    person_guid UNIQUEIDENTIFIER NULL,
    printed     NVARCHAR(400)    NOT NULL,
    is_editor   BIT              NOT NULL DEFAULT 0,
    changed     ROWVERSION       NOT NULL,
    PRIMARY KEY (paper_code, place)
);
GO

-- A row says that a paper has a keyword.
CREATE TABLE office.PaperKeyword (
    paper_code CHAR(12)   NOT NULL,
    keyword_no INT        NOT NULL,
    changed    ROWVERSION NOT NULL,
    PRIMARY KEY (paper_code, keyword_no)
);
GO

-- A row is one research project.
CREATE TABLE office.Project (
    project_code CHAR(10)         NOT NULL PRIMARY KEY,
    title        NVARCHAR(400)    NOT NULL,
    summary      NVARCHAR(MAX)    NULL,
    programme    NVARCHAR(200)    NULL,
    theme        NVARCHAR(200)    NULL,
    first_day    DATE             NULL,
    last_day     DATE             NULL,
    grant_sum    DECIMAL(19, 4)   NULL,
    currency     CHAR(3)          NULL,
    leader       UNIQUEIDENTIFIER NULL,
    organisation CHAR(8)          NULL,
    audience     CHAR(1)          NOT NULL DEFAULT 'M',
    changed      ROWVERSION       NOT NULL
);
GO

-- A row says that a paper came out of a project.
CREATE TABLE office.ProjectPaper (
    project_code CHAR(10)   NOT NULL,
    paper_code   CHAR(12)   NOT NULL,
    changed      ROWVERSION NOT NULL,
    PRIMARY KEY (project_code, paper_code)
);
GO

-- A row is one result that a project owes.
CREATE TABLE office.Milestone (
    milestone_no INT           NOT NULL PRIMARY KEY,
    project_code CHAR(10)      NOT NULL,
    title        NVARCHAR(400) NOT NULL,
    due          DATE          NULL,
    delivered    DATETIME2(0)  NULL,
    paper_code   CHAR(12)      NULL,
    changed      ROWVERSION    NOT NULL
);
GO

-- A row is one meeting.
CREATE TABLE office.Meeting (
    meeting_no INT           NOT NULL PRIMARY KEY,
    title      NVARCHAR(400) NOT NULL,
    begins     DATETIME2(0)  NULL,
    closes     DATETIME2(0)  NULL,
    town       NVARCHAR(200) NULL,
    seats      INT           NULL,
    changed    ROWVERSION    NOT NULL
);
GO

INSERT INTO office.Organisation (code, title, town, country, partner) VALUES
    ('IHP', N'Institute for Harbour Physics', N'Øresund', 'DK', 0),
    ('TUW', N'Technische Universität West', N'Köln', 'DE', 0),
    ('ACME', N'Acme Circuits', N'Łódź', 'PL', 1);
GO

INSERT INTO office.Person (person_guid, first_names, surname, orcid, organisation, is_student) VALUES
    ('6F9619FF-8B86-D011-B42D-00C04FC964FF', N'Ada', N'Ørsted', '0000-0002-1825-0097', 'IHP', 0),
    ('7F9619FF-8B86-D011-B42D-00C04FC964FF', N'小明', N'李', NULL, 'TUW', 1),
    ('8F9619FF-8B86-D011-B42D-00C04FC964FF', N'Zofia', N'Brzękowicz', NULL, 'ACME', 0);
GO

INSERT INTO office.Outlet (outlet_no, title, acronym, issn) VALUES
    (1, N'Journal of Harbour Physics', N'JHP', '1234-5679'),
    (2, N'Conference on Quiet Water', N'CQW', NULL);
GO

INSERT INTO office.Keyword (keyword_no, word, above) VALUES
    (1, N'Waves', NULL),
    (2, N'Standing waves', 1),
    (3, N'Measurement', NULL);
GO

INSERT INTO office.Paper (paper_code, title, summary, sort_of_paper, appeared, outlet_no, pages,
                          doi, file_name, audience, embargo_until, withdrawn) VALUES
    ('HP-2019-01', N'On waves that stand still', N'We measure waves in a small harbour 🌊.', 1,
     '2019-05-17', 1, '1-12', '10.5555/hp.2019.1', NULL, 'P', NULL, 0),
    ('HP-2021-07', N'Quiet water: a survey', NULL, 2, '2021-09-02', 2, '77-90', NULL, NULL, 'A',
     NULL, 0),
    ('HP-2024-03', N'Sensors for partners', N'Only for members.', 3, '2024-02-29', NULL, NULL,
     NULL, NULL, 'M', NULL, 0),
    ('HP-2025-11', N'Drift of copper floats', N'Opens later.', 4, '2025-11-01', NULL, NULL, NULL,
     NULL, 'P', '2031-01-01 00:00:00 +01:00', 0);
GO

INSERT INTO office.PaperPerson (paper_code, place, person_guid, printed, is_editor) VALUES
    ('HP-2019-01', 1, '6F9619FF-8B86-D011-B42D-00C04FC964FF', N'A. Ørsted', 0),
    ('HP-2019-01', 2, '7F9619FF-8B86-D011-B42D-00C04FC964FF', N'X. Li', 0),
    ('HP-2021-07', 1, '7F9619FF-8B86-D011-B42D-00C04FC964FF', N'Li Xiaoming', 0),
    ('HP-2024-03', 1, '8F9619FF-8B86-D011-B42D-00C04FC964FF', N'Z. Brzękowicz', 0),
    ('HP-2024-03', 2, NULL, N'A. N. Other', 1),
    ('HP-2025-11', 1, '7F9619FF-8B86-D011-B42D-00C04FC964FF', N'X. Li', 0);
GO

INSERT INTO office.PaperKeyword (paper_code, keyword_no) VALUES
    ('HP-2019-01', 2), ('HP-2019-01', 3), ('HP-2021-07', 1), ('HP-2025-11', 3);
GO

INSERT INTO office.Project (project_code, title, summary, programme, theme, first_day, last_day,
                            grant_sum, currency, leader, organisation, audience) VALUES
    ('STILL', N'Standing waves in harbours', N'What makes water stand.', N'Oceans', N'Coasts',
     '2018-01-01', '2022-12-31', 1250000.5000, 'EUR', '6F9619FF-8B86-D011-B42D-00C04FC964FF',
     'IHP', 'P');
GO

INSERT INTO office.ProjectPaper (project_code, paper_code) VALUES
    ('STILL', 'HP-2019-01'), ('STILL', 'HP-2021-07');
GO

INSERT INTO office.Milestone (milestone_no, project_code, title, due, delivered, paper_code) VALUES
    (1, 'STILL', N'Map of the harbour', '2019-06-30', '2019-06-12 16:20:00', 'HP-2019-01'),
    (2, 'STILL', N'Final report', '2022-12-31', NULL, NULL);
GO

INSERT INTO office.Meeting (meeting_no, title, begins, closes, town, seats) VALUES
    (1, N'Day of quiet water', '2031-03-04 09:00:00', '2031-03-04 17:30:00', N'Øresund', 80);
GO

CREATE VIEW web.institutions AS
SELECT o.code AS id, o.title AS name, NULL AS ror, o.town AS city, o.country,
       o.partner AS is_member_company, o.changed AS version
FROM office.Organisation AS o;
GO

CREATE VIEW web.people AS
SELECT p.person_guid AS id, p.first_names AS given_name, p.surname AS family_name, p.orcid,
       p.organisation AS institution_id, NULL AS home_page, p.is_student, p.changed AS version
FROM office.Person AS p;
GO

CREATE VIEW web.venues AS
SELECT o.outlet_no AS id, o.title AS name, o.acronym AS short_name, o.issn, NULL AS url,
       o.changed AS version
FROM office.Outlet AS o;
GO

CREATE VIEW web.topics AS
SELECT k.keyword_no AS id, k.word AS name, k.above AS parent_id, k.changed AS version
FROM office.Keyword AS k;
GO

CREATE VIEW web.publications AS
SELECT p.paper_code AS id, p.title, p.summary AS abstract,
       CASE p.sort_of_paper WHEN 1 THEN N'journal article' WHEN 2 THEN N'conference paper'
                            WHEN 3 THEN N'report' WHEN 4 THEN N'thesis' ELSE N'other' END AS kind,
       YEAR(p.appeared) AS year, MONTH(p.appeared) AS month, DAY(p.appeared) AS day,
       p.outlet_no AS venue_id, NULL AS published_in, NULL AS volume, NULL AS issue, p.pages,
       NULL AS publisher, p.doi, NULL AS url, p.file_name AS file_path, N'en' AS language,
       NULL AS licence,
       CASE p.audience WHEN 'P' THEN N'public' WHEN 'A' THEN N'abstract' ELSE N'members' END AS access,
       p.embargo_until AS public_on,
       CASE p.withdrawn WHEN 1 THEN N'withdrawn' ELSE N'current' END AS status,
       NULL AS status_reason, NULL AS status_date, NULL AS replaced_by, p.changed AS version
FROM office.Paper AS p;
GO

CREATE VIEW web.publication_people AS
SELECT p.paper_code AS publication_id,
       CASE p.is_editor WHEN 1 THEN N'editor' ELSE N'author' END AS role,
       p.place AS position, p.person_guid AS person_id, p.printed AS name, NULL AS affiliation,
       p.changed AS version
FROM office.PaperPerson AS p;
GO

CREATE VIEW web.publication_topics AS
SELECT k.paper_code AS publication_id, k.keyword_no AS topic_id, k.changed AS version
FROM office.PaperKeyword AS k;
GO

CREATE VIEW web.projects AS
SELECT p.project_code AS id, p.title, p.summary, p.programme, p.theme, p.first_day AS starts_on,
       p.last_day AS ends_on, NULL AS status, p.grant_sum AS budget, p.currency,
       p.leader AS lead_person_id, p.organisation AS institution_id, NULL AS url,
       CASE p.audience WHEN 'P' THEN N'public' ELSE N'members' END AS access,
       p.changed AS version
FROM office.Project AS p;
GO

CREATE VIEW web.project_publications AS
SELECT p.project_code AS project_id, p.paper_code AS publication_id, p.changed AS version
FROM office.ProjectPaper AS p;
GO

CREATE VIEW web.deliverables AS
SELECT m.milestone_no AS id, m.project_code AS project_id, m.title, m.due AS due_on,
       m.delivered AS submitted_on, NULL AS accepted_on, NULL AS status, N'public' AS access,
       m.changed AS version
FROM office.Milestone AS m;
GO

CREATE VIEW web.deliverable_publications AS
SELECT m.milestone_no AS deliverable_id, m.paper_code AS publication_id, m.changed AS version
FROM office.Milestone AS m
WHERE m.paper_code IS NOT NULL;
GO

CREATE VIEW web.events AS
SELECT m.meeting_no AS id, m.title, NULL AS description, m.begins AS starts_at,
       m.closes AS ends_at, N'Europe/Copenhagen' AS timezone, m.town AS place,
       N'planned' AS status, m.seats AS capacity, NULL AS registration_opens_at,
       NULL AS registration_closes_at, NULL AS form, NULL AS answers_kept_days,
       N'public' AS access, m.changed AS version
FROM office.Meeting AS m;
GO
