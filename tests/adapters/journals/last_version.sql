-- A journal as the last released version left it; renew only together with a release, never with a migration.
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE checkpoints (
	seq INTEGER NOT NULL, 
	sections BLOB NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "checkpoints" VALUES(4,X'81A6656E67696E65C4137B227374617465223A2272756E6E696E67227D');
CREATE TABLE commands (
	id INTEGER NOT NULL, 
	command_id VARCHAR(200) NOT NULL, 
	envelope TEXT NOT NULL, 
	is_done BOOLEAN DEFAULT 0 NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (command_id)
);
INSERT INTO "commands" VALUES(1,'c-1','{"command_id":"c-1","name":"StopAgent","params":{},"actor":"local","source":"","schema":1}',1);
INSERT INTO "commands" VALUES(2,'c-2','{"command_id":"c-2","name":"StopAgent","params":{"agent_id":"risk"},"actor":"local","source":"","schema":1}',0);
CREATE TABLE events (
	seq INTEGER NOT NULL, 
	event_type VARCHAR(64) NOT NULL, 
	source TEXT NOT NULL, 
	as_of BIGINT, 
	cause BIGINT, 
	computed_at BIGINT, 
	data TEXT NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "events" VALUES(1,'MARKET_DATA','market_data',1221489000250001,NULL,NULL,'{"price":17.25,"symbol":"AAPL"}');
INSERT INTO "events" VALUES(2,'RISK_ALERT','risk',1221489000250001,1,NULL,'{"title":"VaR above limit"}');
INSERT INTO "events" VALUES(4,'ORDER_INTENDED','execution',1221489000250001,2,NULL,'{"order_id":"ph-3-4","quantity":"10"}');
CREATE TABLE latches (
	name VARCHAR(200) NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "latches" VALUES('halt','HALTED');
CREATE TABLE owner (
	id INTEGER NOT NULL, 
	head BIGINT NOT NULL, 
	epoch BIGINT NOT NULL, 
	owner TEXT NOT NULL, 
	host TEXT NOT NULL, 
	pid BIGINT NOT NULL, 
	acquired_at BIGINT NOT NULL, 
	heartbeat_at BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "owner" VALUES(1,4,3,'owner-3','host',3,1221489000250001,1221489000250001);
CREATE INDEX ix_events_type_seq ON events (event_type, seq);
CREATE INDEX ix_commands_waiting ON commands (is_done, id);
COMMIT;
