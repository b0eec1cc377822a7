-- A trial log of schema version 2: that of version 1, brought up to date by yoked 0.1.0 of November 2026.
PRAGMA application_id = 1498368836;
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'yoked','0001_trial_log','2026-11-28 04:44:46.084869+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'yoked-app','0001_participations','2026-11-28 04:44:47.983855+00:00');
INSERT INTO "_sqlite_migrations" VALUES(3,'yoked','0002_offsets_and_showings','2026-11-29 06:48:18.225940+00:00');
CREATE TABLE events (
    session INTEGER NOT NULL REFERENCES sessions (key), at TEXT NOT NULL,
    kind TEXT NOT NULL, detail TEXT NOT NULL
) STRICT;
INSERT INTO "events" VALUES(1,'2026-11-28T04:44:47.971+00:00','decision','{"criteria":[],"external_sd":null,"internal_sd":0.0}');
INSERT INTO "events" VALUES(1,'2026-11-28T04:44:47.982+00:00','note','{"x":1}');
CREATE TABLE exclusions (
    session INTEGER NOT NULL REFERENCES sessions (key), trial INTEGER NOT NULL,
    "by" TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL
) STRICT;
INSERT INTO "exclusions" VALUES(1,3,'somebody','looked away','2026-11-28T04:44:47.982+00:00');
CREATE TABLE noise (
    sha256 TEXT PRIMARY KEY, shape TEXT NOT NULL, dtype TEXT NOT NULL,
    blob BLOB NOT NULL
) STRICT;
CREATE TABLE observers (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('person', 'model')),
    name TEXT NOT NULL, parameters TEXT NOT NULL, weights_hash TEXT NOT NULL,
    UNIQUE (kind, name, parameters, weights_hash)
) STRICT;
INSERT INTO "observers" VALUES(1,'model','template','{"efficiency":1.0,"internal_noise":0.0}','');
CREATE TABLE participations (
            token_hash TEXT PRIMARY KEY,
            session TEXT NOT NULL UNIQUE REFERENCES sessions (id),
            language TEXT NOT NULL,
            consent_version TEXT NOT NULL,
            consented_at TEXT NOT NULL,
            completion_code TEXT NOT NULL UNIQUE
        ) STRICT
        ;
INSERT INTO "participations" VALUES('b77c42ad4ae0aa8c88a055b7489f121f782a4b74bb3399b774920dd53e835088','2026-11-28-nwn','en','abababababababababababababababababababababababababababababababab','2026-11-28T04:44:47.984+00:00','D7T6VLYWWF');
CREATE TABLE protocols (
    hash TEXT PRIMARY KEY, stimulus_hash TEXT NOT NULL, name TEXT NOT NULL,
    json TEXT NOT NULL
) STRICT;
INSERT INTO "protocols" VALUES('901bf1c5381b7a33b6be93646da93569594934e425f9b48f8256509f3bdb38d2','6958207a3b0aed45848827f6b8f1e59711b44a9bcfd7c2bb819abfa443f89681','bar-in-noise','{"name": "bar-in-noise", "title": "Which interval held the bright bar?", "task": {"kind": "2afc", "keys": ["f", "j"]}, "display": {"deg_per_element": 0.2, "element_px": [52, 4]}, "noise": {"kind": "gaussian", "sd": 0.1, "grid": [1, 1, 13]}, "signal": {"kind": "bar", "columns": [6, 6]}, "contrast": {"values": [0.3], "keep_correct": [0.0, 1.0]}, "blocks": [{"kind": "main", "n_trials": 12}], "catch": {"n_per_block": 2}, "texts": {"consent": {"en": "# Taking part\n\nYou are invited to take part in a study of how people see faint patterns in noise.\n\n- **What you will do.** Look at brief, grainy images and press a key to say what you saw. It takes about\n  30 minutes, with breaks.\n- **What is stored.** Your key presses, their times, and facts about the screen (size, refresh rate).\n  No name, no address, no picture of you.\n- **Risks.** Gray patches flicker briefly. Do not take part if flickering light has ever made you ill.\n- **Your choice.** You may stop at any time by closing the page, without giving a reason.\n\nBy pressing *I agree* you say that you are 18 or older, have read this, and want to take part.\n"}, "instructions": {"en": "# What to do\n\nEach trial shows **two** brief patterns of gray bars, one after the other.\n\nIn one of them the bar **in the middle** is a little brighter. Its place never changes: look at the middle,\nbetween the two marks.\n\n- Press **F** if it was in the **first** pattern.\n- Press **J** if it was in the **second**.\n\nIt is hard on purpose. When you are not sure, go with your impression. The first trials are practice\nand tell you whether you were right.\n"}, "debrief": {"en": "# Thank you\n\nThe patterns you judged were hidden in random noise. From which noise made you answer one way or the other,\nwe compute *what you look at* and compare it with artificial networks that answered the very same trials.\n"}}}');
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
INSERT INTO "sessions" VALUES(1,'2026-11-28-nwn','901bf1c5381b7a33b6be93646da93569594934e425f9b48f8256509f3bdb38d2',1,'model',5,6524201800137682249,'yoked-1',NULL,'finished','yoked 0.1.0',NULL,'{"type":"cpu"}','2026-11-28T04:44:47.969+00:00','2026-11-28T04:44:47.974+00:00');
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
INSERT INTO "trials" VALUES(1,0,0,'main','main',0,1,NULL,0.3,'{"columns":[6,6],"cycles":0.0,"frames":[0,0],"gains":[0.0,1.0],"kind":"bar","orientation_deg":0.0,"phase_deg":0.0,"rows":[0,0],"sigma":0.0}',1,1,1,NULL,NULL,'[-31616.0,237120.0]','58035ed7e8d07c17424a9640f0bfc51718e4711dc081c331475b3a4f5ea48993',NULL,NULL,NULL,1,NULL,'2026-11-28T04:44:47.973+00:00',NULL,NULL);
INSERT INTO "trials" VALUES(1,1,0,'catch','catch',1,1,NULL,0.5,'{"columns":[6,6],"cycles":0.0,"frames":[0,0],"gains":[0.0,1.0],"kind":"bar","orientation_deg":0.0,"phase_deg":0.0,"rows":[0,0],"sigma":0.0}',1,1,1,NULL,NULL,'[-31616.0,553280.0]','5c8f655527b63c127f4a1f66d4acb64823d07843ef1ac9c86623eb68c858aec5',NULL,NULL,NULL,1,NULL,'2026-11-28T04:44:47.973+00:00',NULL,NULL);
INSERT INTO "trials" VALUES(1,2,0,'main','main',2,1,NULL,0.3,'{"columns":[6,6],"cycles":0.0,"frames":[0,0],"gains":[0.0,1.0],"kind":"bar","orientation_deg":0.0,"phase_deg":0.0,"rows":[0,0],"sigma":0.0}',0,0,1,NULL,NULL,'[213408.0,-39520.0]','2a5ca41e92e7ef939bfa7f4a5a059bccec9042dda1500cfca0325104f442365e',NULL,NULL,NULL,1,NULL,'2026-11-28T04:44:47.973+00:00',NULL,NULL);
INSERT INTO "trials" VALUES(1,3,0,'main','main',3,1,NULL,0.3,'{"columns":[6,6],"cycles":0.0,"frames":[0,0],"gains":[0.0,1.0],"kind":"bar","orientation_deg":0.0,"phase_deg":0.0,"rows":[0,0],"sigma":0.0}',1,1,1,NULL,NULL,'[7904.0,284544.0]','7cfb9983dca3c50657c2906bf64791b8d93874a2ff9d285fa3e1855f1a4b2c10',NULL,NULL,NULL,1,NULL,'2026-11-28T04:44:47.973+00:00',NULL,NULL);
INSERT INTO "trials" VALUES(1,4,0,'main','main',4,1,NULL,0.3,'{"columns":[6,6],"cycles":0.0,"frames":[0,0],"gains":[0.0,1.0],"kind":"bar","orientation_deg":0.0,"phase_deg":0.0,"rows":[0,0],"sigma":0.0}',0,0,1,NULL,NULL,'[331968.0,-23712.0]','989f9d72b37432175f8932983ea4fbe4638906c87a33a8c61e0c3c100198e352',NULL,NULL,NULL,1,NULL,'2026-11-28T04:44:47.973+00:00',NULL,NULL);
INSERT INTO "trials" VALUES(1,5,0,'main','main',5,1,NULL,0.3,'{"columns":[6,6],"cycles":0.0,"frames":[0,0],"gains":[0.0,1.0],"kind":"bar","orientation_deg":0.0,"phase_deg":0.0,"rows":[0,0],"sigma":0.0}',0,0,1,NULL,NULL,'[134368.0,-268736.0]','0ab9cc8041d7c4aca9b09a516c832b34548cf3a7549e0139a46107ce8641becc',NULL,NULL,NULL,1,NULL,'2026-11-28T04:44:47.973+00:00',NULL,NULL);
INSERT INTO "trials" VALUES(1,6,0,'main','main',6,1,NULL,0.3,'{"columns":[6,6],"cycles":0.0,"frames":[0,0],"gains":[0.0,1.0],"kind":"bar","orientation_deg":0.0,"phase_deg":0.0,"rows":[0,0],"sigma":0.0}',1,1,1,NULL,NULL,'[23712.0,245024.0]','6abe693096716d3d93779bee0f9232d2ce38a1999c075bac5787b7e36288282b',NULL,NULL,NULL,1,NULL,'2026-11-28T04:44:47.973+00:00',NULL,NULL);
INSERT INTO "trials" VALUES(1,7,0,'main','main',7,1,NULL,0.3,'{"columns":[6,6],"cycles":0.0,"frames":[0,0],"gains":[0.0,1.0],"kind":"bar","orientation_deg":0.0,"phase_deg":0.0,"rows":[0,0],"sigma":0.0}',0,0,1,NULL,NULL,'[245024.0,47424.0]','08ba384e8f897ec3b81fd8f74d11c5c1ba83e1ce878e27c166ee1347a1e07d68',NULL,NULL,NULL,1,NULL,'2026-11-28T04:44:47.973+00:00',NULL,NULL);
INSERT INTO "trials" VALUES(1,8,0,'main','main',8,1,NULL,0.3,'{"columns":[6,6],"cycles":0.0,"frames":[0,0],"gains":[0.0,1.0],"kind":"bar","orientation_deg":0.0,"phase_deg":0.0,"rows":[0,0],"sigma":0.0}',1,1,1,NULL,NULL,'[-94848.0,411008.0]','89e416a35bdd15f7a76c9d730a44edbd908974462f3f7013a9b45fdac204523b',NULL,NULL,NULL,1,NULL,'2026-11-28T04:44:47.973+00:00',NULL,NULL);
INSERT INTO "trials" VALUES(1,9,0,'main','main',9,1,NULL,0.3,'{"columns":[6,6],"cycles":0.0,"frames":[0,0],"gains":[0.0,1.0],"kind":"bar","orientation_deg":0.0,"phase_deg":0.0,"rows":[0,0],"sigma":0.0}',0,0,1,NULL,NULL,'[434720.0,-63232.0]','24f1b9fff50e19044fede9489f519ee5be1bcf1e6dfc8c32e7f09c78e570111f',NULL,NULL,NULL,1,NULL,'2026-11-28T04:44:47.973+00:00',NULL,NULL);
INSERT INTO "trials" VALUES(1,10,0,'main','main',10,1,NULL,0.3,'{"columns":[6,6],"cycles":0.0,"frames":[0,0],"gains":[0.0,1.0],"kind":"bar","orientation_deg":0.0,"phase_deg":0.0,"rows":[0,0],"sigma":0.0}',1,1,1,NULL,NULL,'[-173888.0,79040.0]','c0428818df60028d65a77e3706431aecc1d7ee270e9922fc3a7742889ee5d4f4',NULL,NULL,NULL,1,NULL,'2026-11-28T04:44:47.973+00:00',NULL,NULL);
INSERT INTO "trials" VALUES(1,11,0,'main','main',11,1,NULL,0.3,'{"columns":[6,6],"cycles":0.0,"frames":[0,0],"gains":[0.0,1.0],"kind":"bar","orientation_deg":0.0,"phase_deg":0.0,"rows":[0,0],"sigma":0.0}',1,1,1,NULL,NULL,'[-31616.0,245024.0]','f740ee6dabc1ae3837afcf0e9b7a3e294d1f9e88cddae26cde0e440934ecb256',NULL,NULL,NULL,1,NULL,'2026-11-28T04:44:47.973+00:00',NULL,NULL);
INSERT INTO "trials" VALUES(1,12,0,'catch','catch',12,1,NULL,0.5,'{"columns":[6,6],"cycles":0.0,"frames":[0,0],"gains":[0.0,1.0],"kind":"bar","orientation_deg":0.0,"phase_deg":0.0,"rows":[0,0],"sigma":0.0}',0,0,1,NULL,NULL,'[513760.0,15808.0]','2fdd2859e3cfbc8366d523398c03d700e9c17d79e4b7ec4fb364285b3113052c',NULL,NULL,NULL,1,NULL,'2026-11-28T04:44:47.973+00:00',NULL,NULL);
INSERT INTO "trials" VALUES(1,13,0,'main','main',13,1,NULL,0.3,'{"columns":[6,6],"cycles":0.0,"frames":[0,0],"gains":[0.0,1.0],"kind":"bar","orientation_deg":0.0,"phase_deg":0.0,"rows":[0,0],"sigma":0.0}',0,0,1,NULL,NULL,'[426816.0,-23712.0]','9392df446829e249855f8bd8988a83108e1d469b1c06851386a45dd61f720829',NULL,NULL,NULL,1,NULL,'2026-11-28T04:44:47.973+00:00',NULL,NULL);
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