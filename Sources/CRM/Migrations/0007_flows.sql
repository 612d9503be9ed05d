-- SPDX-License-Identifier: Apache-2.0
-- Flows: what is fetched from where, how it is read, when; and what their schedules began.

create table flow (
  id int generated always as identity primary key,
  name text collate "C" not null unique check (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  version int not null,
  created_at timestamptz not null default now()
);

create table flow_version (
  flow_id int not null references flow on delete cascade,
  version int not null,
  text text not null,
  applied_by text,
  applied_at timestamptz not null default now(),
  primary key (flow_id, version)
);

alter table flow add foreign key (id, version) references flow_version (flow_id, version) deferrable initially deferred;

-- the schedule of the current version; none for flows that only people begin
create table flow_schedule (
  flow_id int primary key references flow on delete cascade,
  cron text not null,
  zone text not null,
  holidays text,
  missed text not null check (missed in ('skip', 'once', 'all')),
  missed_limit int not null,
  overlap text not null check (overlap in ('skip', 'queue', 'cancel')),
  jitter_seconds int not null default 0 check (jitter_seconds between 0 and 3600),
  next_at timestamptz,
  -- what its jobs are, so that a tick reads no flow's text
  queue text not null,
  connector text not null,
  attempts int not null
);

create index flow_schedule_next on flow_schedule (next_at) where next_at is not null;

-- each time that a schedule named, once; correct whoever ticks
create table flow_firing (
  flow_id int not null references flow on delete cascade,
  nominal_at timestamptz not null,
  outcome text not null check (outcome in ('queued', 'missed', 'overlap', 'paused')),
  job_id bigint,
  at timestamptz not null default now(),
  primary key (flow_id, nominal_at)
);

-- what a connector has read, committed behind what it brought
create table flow_cursor (
  flow_id int primary key references flow on delete cascade,
  cursor text not null,
  at timestamptz not null default now()
);

alter table run
  add column flow_id int references flow on delete set null,
  add column flow_version int,
  add column job_id bigint;

create index run_flow on run (flow_id, id) where flow_id is not null;
