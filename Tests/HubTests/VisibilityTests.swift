// SPDX-License-Identifier: Apache-2.0
// Who sees what: the rule in SQL, kept up by whatever changes.

import CRM
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct VisibilityTests {
    /// Three accounts; a manager above a team of two reps beside another team.
    private func company() async throws -> Workbench {
        let bench = try await Workbench()
        _ = try await bench.accounts("C1,Alpha,,,,,,,", "C2,Bravo,,,,,,,", "C3,Charlie,,,,,,,")
        try await bench.script(
            """
            insert into team (name) values ('France');
            insert into team (name, parent_id) select n, id from team, (values ('Nord'), ('Sud')) as t(n) where name = 'France';
            insert into app_user (login, name, role, team_id)
            select l, l, r, (select id from team where name = t)
            from (values ('chef', 'manager', 'France'), ('nina', 'rep', 'Nord'), ('noe', 'rep', 'Nord'),
              ('nadia', 'manager', 'Nord'), ('sam', 'rep', 'Sud'), ('bo', 'back_office', null), ('it', 'it', null))
              as u(l, r, t)
            """)
        return bench
    }

    private func seen(_ login: String, _ bench: Workbench) async throws -> [String] {
        let user = try await bench.pool.withConnection { try await AppUsers.show(login, on: $0) }
        let rows = try await bench.pool.withConnection {
            try await Accounts.page(scope: user.scope, on: $0)
        }
        return rows.map(\.name)
    }

    private func own(_ login: String, _ account: String, _ bench: Workbench) async throws {
        try await bench.script(
            "update party set owner_id = (select id from app_user where login = '\(login)') where name = '\(account)'"
        )
    }

    @Test func `the back office sees all, IT nothing, a rep nothing that is nobody's`() async throws {
        let bench = try await company()
        #expect(try await seen("bo", bench) == ["Alpha", "Bravo", "Charlie"])
        #expect(try await seen("it", bench) == [])
        #expect(try await seen("nina", bench) == [])
        #expect(try await seen("chef", bench) == [])
    }

    @Test func `an owner sees his account, and every manager above him`() async throws {
        let bench = try await company()
        try await own("nina", "Bravo", bench)
        for login in ["nina", "nadia", "chef"] { #expect(try await seen(login, bench) == ["Bravo"]) }
        for login in ["noe", "sam"] { #expect(try await seen(login, bench) == []) }
        try await own("sam", "Bravo", bench)
        #expect(try await seen("nina", bench) == [])
        #expect(try await seen("nadia", bench) == [])
        for login in ["sam", "chef"] { #expect(try await seen(login, bench) == ["Bravo"]) }
    }

    @Test func `a team shares an account, and a territory brings it to whoever owns one above`() async throws
    {
        let bench = try await company()
        try await bench.script(
            """
            insert into party_team select p.id, t.id from party p, team t where p.name = 'Alpha' and t.name = 'Nord';
            insert into territory (name, owner_id) select 'Ouest', id from app_user where login = 'sam';
            insert into territory (name, parent_id) select 'Bretagne', id from territory where name = 'Ouest';
            update party set territory_id = (select id from territory where name = 'Bretagne') where name = 'Charlie'
            """)
        for login in ["nina", "noe", "nadia"] { #expect(try await seen(login, bench) == ["Alpha"]) }
        #expect(try await seen("sam", bench) == ["Charlie"])
        #expect(try await seen("chef", bench) == ["Alpha", "Charlie"])
        try await bench.script(
            "update territory set owner_id = (select id from app_user where login = 'noe')")
        #expect(try await seen("sam", bench) == [])
        #expect(try await seen("noe", bench) == ["Alpha", "Charlie"])
        try await bench.script("delete from party_team")
        #expect(try await seen("noe", bench) == ["Charlie"])
    }

    @Test func `whoever changes teams takes what he sees to the new manager`() async throws {
        let bench = try await company()
        try await own("nina", "Alpha", bench)
        try await bench.script(
            "update app_user set team_id = (select id from team where name = 'Sud') where login = 'nina'")
        #expect(try await seen("nadia", bench) == [])
        #expect(try await seen("chef", bench) == ["Alpha"])
    }

    @Test func `names, merges and deletions are followed`() async throws {
        let bench = try await company()
        try await bench.script("update party set name = 'Zoé' where name = 'Alpha'")
        #expect(try await seen("bo", bench) == ["Bravo", "Charlie", "Zoé"])
        try await bench.script(
            "update party set merged_into = (select id from party where name = 'Bravo') where name = 'Zoé'")
        #expect(try await seen("bo", bench) == ["Bravo", "Charlie"])
        let runs = try await bench.numbers("select max(id) from run")
        try await bench.undo(try #require(runs.first))
        #expect(try await seen("bo", bench) == [])
        #expect(
            try await bench.numbers(
                "select count(*) from party_scope s where not exists (select from party p where p.id = s.party_id)"
            ) == [0])
    }

    @Test func `a name is found by any part of it, by whoever sees it`() async throws {
        let bench = try await company()
        try await own("nina", "Bravo", bench)
        try await bench.script(
            """
            update party set name = 'Ateliers d’Alpha' where name = 'Alpha';
            update party set name = 'Société 100% Bravo' where name = 'Bravo';
            """)
        try await bench.pool.withConnection { connection in
            func names(_ text: String, _ scope: Int) async throws -> [String] {
                try await GlobalSearch.find(text, scope: scope, on: connection).map(\.text)
            }
            let nina = try await AppUsers.show("nina", on: connection)
            #expect(try await names("alpha", 0) == ["Ateliers d’Alpha"])
            #expect(try await names("alpha", nina.scope) == [])
            #expect(try await names("bravo", nina.scope) == ["Société 100% Bravo"])
            // What means something to LIKE means itself here.
            #expect(try await names("0% b", 0) == ["Société 100% Bravo"])
            #expect(try await names("%te", 0) == [])
            #expect(try await names("_te", nina.scope) == [])
        }
    }

    @Test func `what a rep does not see he does not find, open, write to or export`() async throws {
        let bench = try await company()
        try await own("nina", "Bravo", bench)
        let found = try await bench.numbers("select id from party where name = 'Alpha'")
        let hidden = try #require(found.first)
        try await bench.pool.withConnection { connection in
            let nina = try await AppUsers.show("nina", on: connection)
            #expect(try await Accounts.view(hidden, for: nina, on: connection) == nil)
            #expect(try await Accounts.view(hidden + 9999, for: nina, on: connection) == nil)
            #expect(try await GlobalSearch.find("Alpha", scope: nina.scope, on: connection) == [])
            #expect(try await GlobalSearch.find("C1", scope: nina.scope, on: connection) == [])
            #expect(try await GlobalSearch.find("Bravo", scope: nina.scope, on: connection).count == 1)
            #expect(
                try await Timeline.write(
                    "note", subject: "vu", body: nil, about: hidden, by: nina, on: connection) == nil)
            #expect(try await AccountEdits.fields(of: hidden, for: nina, on: connection) == nil)
            let piece = try await Accounts.exportPiece(scope: nina.scope, after: nil, on: connection)
            let text = String(decoding: try #require(piece?.bytes), as: UTF8.self)
            #expect(text.contains("Bravo") && !text.contains("Alpha") && !text.contains("Charlie"))
        }
        #expect(try await bench.numbers("select count(*) from audit where action = 'account.seen'") == [0])
    }
}
