-- A served trial log of schema version 2: yoked 0.1.0 of November 2026 stopped in the middle of a web session.
-- Its link ends in 2bvULMesydETcTLdvO0_eN6XdZ8-i9bk; five of its 16 trials have a response.
PRAGMA application_id = 1498368836;
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'yoked','0001_trial_log','2026-11-30 04:41:13.236526+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'yoked','0002_offsets_and_showings','2026-11-30 04:41:13.237706+00:00');
INSERT INTO "_sqlite_migrations" VALUES(3,'yoked-app','0001_participations','2026-11-30 04:41:13.247835+00:00');
INSERT INTO "_sqlite_migrations" VALUES(4,'yoked-app','0002_outcomes','2026-11-30 04:41:13.252725+00:00');
INSERT INTO "_sqlite_migrations" VALUES(5,'yoked-app','0003_sittings','2026-11-30 04:41:13.264586+00:00');
CREATE TABLE events (
    session INTEGER NOT NULL REFERENCES sessions (key), at TEXT NOT NULL,
    kind TEXT NOT NULL, detail TEXT NOT NULL
) STRICT;
CREATE TABLE exclusions (
    session INTEGER NOT NULL REFERENCES sessions (key), trial INTEGER NOT NULL,
    "by" TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE TABLE health (checked_at TEXT, filling BLOB) STRICT;
CREATE TABLE noise (
    sha256 TEXT PRIMARY KEY, shape TEXT NOT NULL, dtype TEXT NOT NULL,
    blob BLOB NOT NULL
) STRICT;
CREATE TABLE observers (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('person', 'model')),
    name TEXT NOT NULL, parameters TEXT NOT NULL, weights_hash TEXT NOT NULL,
    UNIQUE (kind, name, parameters, weights_hash)
) STRICT;
INSERT INTO "observers" VALUES(1,'person','participant-47635202','{}','');
CREATE TABLE participations (
            session TEXT PRIMARY KEY REFERENCES sessions (id),
            token_hash TEXT NOT NULL,
            sitting INTEGER NOT NULL,
            language TEXT NOT NULL,
            consent_version TEXT NOT NULL,
            consented_at TEXT NOT NULL,
            completion_code TEXT NOT NULL UNIQUE,
            outcome TEXT,
            UNIQUE (token_hash, sitting)
        ) STRICT
        ;
INSERT INTO "participations" VALUES('2026-11-30-thw3j596','71a92c7a0b8db28043368a8979d487599aad253a74586c37609d353cc176b598',1,'en','142f2591a0db8b2893245be3e68ebf3afcc825f3275c375597a6f61012f40a46','2026-11-30T04:41:13.474+00:00','U3Y663XR53',NULL);
CREATE TABLE protocols (
    hash TEXT PRIMARY KEY, stimulus_hash TEXT NOT NULL, name TEXT NOT NULL,
    json TEXT NOT NULL
) STRICT;
INSERT INTO "protocols" VALUES('51fba09b5ef02dc0aafac50c4e298ef48c4c45fc3580b2a3c7dfc6a4e4bb217b','6958207a3b0aed45848827f6b8f1e59711b44a9bcfd7c2bb819abfa443f89681','bar-in-noise','{"name": "bar-in-noise", "title": "Which interval held the bright bar?", "task": {"kind": "2afc", "keys": ["f", "j"]}, "display": {"deg_per_element": 0.2, "element_px": [52, 4]}, "noise": {"kind": "gaussian", "sd": 0.1, "grid": [1, 1, 13]}, "signal": {"kind": "bar", "columns": [6, 6]}, "contrast": {"values": [0.227], "lowest": 0.04, "highest": 0.56, "n_steps": 28}, "blocks": [{"kind": "practice", "n_trials": 2, "feedback": true}, {"kind": "calibration", "n_trials": 4}, {"kind": "main", "n_trials": 4, "n_blocks": 2}], "catch": {"n_per_block": 1}, "texts": {"consent": {"en": "# Taking part\n\nYou are invited to take part in a study of how people see faint patterns in noise.\n\n- **What you will do.** Look at brief, grainy images and press a key to say what you saw. It takes about\n  30 minutes, with breaks.\n- **What is stored.** Your key presses, their times, and facts about the screen (size, refresh rate).\n  No name, no address, no picture of you.\n- **Risks.** Gray patches flicker briefly. Do not take part if flickering light has ever made you ill.\n- **Your choice.** You may stop at any time by closing the page, without giving a reason.\n\nBy pressing *I agree* you say that you are 18 or older, have read this, and want to take part.\n"}, "instructions": {"en": "# What to do\n\nEach trial shows **two** brief patterns of gray bars, one after the other.\n\nIn one of them the bar **in the middle** is a little brighter. Its place never changes: look at the middle,\nbetween the two marks.\n\n- Press **F** if it was in the **first** pattern.\n- Press **J** if it was in the **second**.\n\nIt is hard on purpose. When you are not sure, go with your impression. The first trials are practice\nand tell you whether you were right.\n"}, "debrief": {"en": "# Thank you\n\nThe patterns you judged were hidden in random noise. From which noise made you answer one way or the other,\nwe compute *what you look at* and compare it with artificial networks that answered the very same trials.\n"}}}');
CREATE TABLE sessions (
    key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    protocol TEXT NOT NULL REFERENCES protocols (hash),
    observer INTEGER NOT NULL REFERENCES observers (id),
    presenter TEXT NOT NULL CHECK (presenter IN ('web', 'lab', 'model', 'import')),
    seed INTEGER NOT NULL, observer_seed INTEGER UNIQUE,
    noise_source TEXT NOT NULL, yoked_to TEXT REFERENCES sessions (id),
    status TEXT NOT NULL CHECK (status IN ('unfinished', 'finished', 'withdrawn')),
    software TEXT NOT NULL, display TEXT, device TEXT,
    started_at TEXT NOT NULL, ended_at TEXT
) STRICT;
INSERT INTO "sessions" VALUES(1,'2026-11-30-thw3j596','51fba09b5ef02dc0aafac50c4e298ef48c4c45fc3580b2a3c7dfc6a4e4bb217b',1,'web',1788498832906944573,NULL,'yoked-1',NULL,'unfinished','yoked 0.1.0','{"lut":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63,64,65,66,67,68,69,70,71,72,73,74,75,76,77,78,79,80,81,82,83,84,85,86,87,88,89,90,91,92,93,94,95,96,97,98,99,100,101,102,103,104,105,106,107,108,109,110,111,112,113,114,115,116,117,118,119,120,121,122,123,124,125,126,127,128,129,130,131,132,133,134,135,136,137,138,139,140,141,142,143,144,145,146,147,148,149,150,151,152,153,154,155,156,157,158,159,160,161,162,163,164,165,166,167,168,169,170,171,172,173,174,175,176,177,178,179,180,181,182,183,184,185,186,187,188,189,190,191,192,193,194,195,196,197,198,199,200,201,202,203,204,205,206,207,208,209,210,211,212,213,214,215,216,217,218,219,220,221,222,223,224,225,226,227,228,229,230,231,232,233,234,235,236,237,238,239,240,241,242,243,244,245,246,247,248,249,250,251,252,253,254,255],"lut_name":"identity"}',NULL,'2026-11-30T04:41:13.464+00:00',NULL);
CREATE TABLE trials (
    session INTEGER NOT NULL REFERENCES sessions (key),
    trial INTEGER NOT NULL,
    block INTEGER NOT NULL,
    block_kind TEXT NOT NULL,
    condition TEXT NOT NULL,
    stimulus_id INTEGER NOT NULL,
    pass INTEGER NOT NULL,
    repeats INTEGER,
    contrast REAL NOT NULL,
    signal TEXT NOT NULL,
    target INTEGER NOT NULL,
    response INTEGER,
    correct INTEGER,
    rt_ms REAL,
    confidence REAL,
    decision_variables TEXT,
    digest TEXT,
    onsets_ms TEXT,
    frames_shown INTEGER,
    frames_dropped INTEGER,
    valid INTEGER NOT NULL,
    invalid_reason TEXT,
    received_at TEXT NOT NULL, offsets_ms TEXT, n_shown INTEGER,
    PRIMARY KEY (session, trial)
) STRICT, WITHOUT ROWID;
INSERT INTO "trials" VALUES(1,0,0,'practice','practice',0,1,NULL,3.77952755905511805778e-01,'{"columns":[6,6],"cycles":0.0,"frames":[0,0],"gains":[0.0,1.0],"kind":"bar","orientation_deg":0.0,"phase_deg":0.0,"rows":[0,0],"sigma":0.0}',1,0,0,312.5,NULL,NULL,'a39e8daa937193dd5b7460074881b7fcfa9fd6776a7d1d6060853b260360da04','[500.0,1100.0]',12,1,1,NULL,'2026-11-30T04:41:21.691+00:00','[600.0,1200.0]',1);
INSERT INTO "trials" VALUES(1,1,0,'practice','practice',1,1,NULL,3.77952755905511805778e-01,'{"columns":[6,6],"cycles":0.0,"frames":[0,0],"gains":[0.0,1.0],"kind":"bar","orientation_deg":0.0,"phase_deg":0.0,"rows":[0,0],"sigma":0.0}',0,1,0,312.5,NULL,NULL,'33abfd484cd6b68691b7d80c9f0871222dc4f2921504c4eae65b072c7cd5927e','[500.0,1100.0]',12,1,1,NULL,'2026-11-30T04:41:21.710+00:00','[600.0,1200.0]',1);
INSERT INTO "trials" VALUES(1,2,1,'calibration','calibration',2,1,NULL,2.12598425196850404628e-01,'{"columns":[6,6],"cycles":0.0,"frames":[0,0],"gains":[0.0,1.0],"kind":"bar","orientation_deg":0.0,"phase_deg":0.0,"rows":[0,0],"sigma":0.0}',0,0,1,312.5,NULL,NULL,'95cd9a4d6e95823baaeae4d070ce8cd38b66ff3da625940d9a11fcc7f4e3e890','[500.0,1100.0]',12,1,1,NULL,'2026-11-30T04:41:21.730+00:00','[600.0,1200.0]',1);
INSERT INTO "trials" VALUES(1,3,1,'calibration','calibration',3,1,NULL,1.88976377952755902889e-01,'{"columns":[6,6],"cycles":0.0,"frames":[0,0],"gains":[0.0,1.0],"kind":"bar","orientation_deg":0.0,"phase_deg":0.0,"rows":[0,0],"sigma":0.0}',0,1,0,312.5,NULL,NULL,'b68d491735475c17c606fe1b27af83d18fcd428b46bb645fe9027c6644109f75','[500.0,1100.0]',12,1,1,NULL,'2026-11-30T04:41:21.744+00:00','[600.0,1200.0]',1);
INSERT INTO "trials" VALUES(1,4,1,'calibration','calibration',4,1,NULL,4.17322834645669271669e-01,'{"columns":[6,6],"cycles":0.0,"frames":[0,0],"gains":[0.0,1.0],"kind":"bar","orientation_deg":0.0,"phase_deg":0.0,"rows":[0,0],"sigma":0.0}',1,0,0,312.5,NULL,NULL,'bf452462329280d4d881d774ee2336ea01b006eb0a915fb495882974a218ac55','[500.0,1100.0]',12,1,1,NULL,'2026-11-30T04:41:21.759+00:00','[600.0,1200.0]',1);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX exclusions_session ON exclusions (session);
CREATE INDEX events_session ON events (session);
CREATE TRIGGER trials_never_change BEFORE UPDATE ON trials
BEGIN SELECT RAISE(ABORT, 'a stored trial must not change'); END;
CREATE TRIGGER trials_stay BEFORE DELETE ON trials
WHEN (SELECT status FROM sessions WHERE key = OLD.session) <> 'withdrawn'
BEGIN SELECT RAISE(ABORT, 'a trial must not be deleted but by withdrawal'); END;
COMMIT;
