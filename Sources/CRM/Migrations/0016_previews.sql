-- SPDX-License-Identifier: Apache-2.0
-- Files that people hand over in the browser: looked at first, imported when they say so.

create table preview (
  id bigint generated always as identity primary key,
  user_id bigint not null references app_user,
  sha256 bytea not null references blob on delete cascade,
  name text not null,
  size bigint not null,
  -- the mapping that the person chose; none = by the content
  mapping text,
  made_at timestamptz not null default now(),
  discarded_at timestamptz,
  job_id bigint,
  run_id bigint references run on delete set null
);

create index preview_made on preview (made_at, id);
create index preview_sha256 on preview (sha256);
create index preview_run on preview (run_id) where run_id is not null;
