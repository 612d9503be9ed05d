-- SPDX-License-Identifier: Apache-2.0
-- The queue: live jobs, what became of the others, what is paused or limited.

create sequence job_lease;

-- live jobs only: whatever has ended is deleted here, so that the table stays as small as the work that is left
create table job (
  id bigint generated always as identity primary key,
  queue text not null check (queue in ('interactive', 'scheduled', 'bulk')),
  kind text not null,
  -- groups take turns; inside a group the lowest priority number comes first
  group_key text collate "C" not null default '',
  priority smallint not null default 100,
  run_at timestamptz not null default now(),
  -- waiting = not before run_at
  state text not null default 'ready' check (state in ('waiting', 'ready', 'running')),
  attempt int not null default 0,
  max_attempts int not null default 8 check (max_attempts > 0),
  lease_until timestamptz,
  -- whoever finishes a job shows the number it was lent under
  lease_token bigint,
  worker text,
  started_at timestamptz,
  -- one live job a key
  unique_key text,
  -- one running job a key
  exclusive_key text,
  -- the key of `queue_control` whose limits hold (a connector)
  limit_key text,
  payload jsonb not null default '{}',
  error jsonb,
  cancelled_at timestamptz,
  created_at timestamptz not null default now(),
  constraint job_lease check (
    (state = 'running') = (lease_token is not null) and (state = 'running') = (lease_until is not null))
) with (
  fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000
);

create index job_ready on job (queue, group_key, priority, run_at, id) where state = 'ready';
create index job_waiting on job (run_at) where state = 'waiting';
create index job_running on job (lease_until) where state = 'running';
create index job_worker on job (worker) where state = 'running';
create index job_limited on job (limit_key, state) where limit_key is not null;
create unique index job_unique on job (unique_key) where unique_key is not null;
create unique index job_exclusive on job (exclusive_key) where state = 'running' and exclusive_key is not null;

create table job_history (
  job_id bigint not null,
  queue text not null,
  kind text not null,
  group_key text collate "C" not null,
  outcome text not null check (outcome in ('done', 'dead', 'cancelled')),
  attempt int not null,
  lease_token bigint,
  worker text,
  run_id bigint,
  error jsonb,
  -- what is needed to run it again; of jobs that are done, nothing
  job jsonb,
  created_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz not null default now(),
  again_at timestamptz
) partition by range (ended_at);

create table job_history_default partition of job_history default;
create index job_history_job on job_history (job_id);
create index job_history_group on job_history (group_key, ended_at);
create index job_history_dead on job_history (ended_at) where outcome <> 'done';

-- Makes the partitions of this month and the months ahead; rows that came before theirs was there stay in the default.
create function make_job_history_partitions(months int) returns void language plpgsql as $$
declare
  month date := date_trunc('month', now())::date;
  name text;
begin
  for i in 0..months loop
    name := 'job_history_' || to_char(month, 'YYYY_MM');
    if to_regclass(name) is null then
      begin
        execute format(
          'create table %I partition of job_history for values from (%L) to (%L)',
          name, month, month + interval '1 month');
      exception when check_violation or duplicate_table then
        null;
      end;
    end if;
    month := (month + interval '1 month')::date;
  end loop;
end
$$;

select make_job_history_partitions(2);

create table queue_control (
  scope text not null check (scope in ('queue', 'group', 'limit')),
  name text not null,
  paused_at timestamptz,
  paused_by text,
  -- most jobs at once, most begun in a minute; null = no limit
  max_running int check (max_running > 0),
  per_minute int check (per_minute > 0),
  -- what is left to begin, as of refilled_at
  tokens numeric not null default 0,
  refilled_at timestamptz not null default now(),
  primary key (scope, name),
  check (scope = 'limit' or (max_running is null and per_minute is null))
);
