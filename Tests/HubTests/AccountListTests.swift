// SPDX-License-Identifier: Apache-2.0
// Lists of accounts as users want them: filters, their names, columns, and the file of it.

import CRM
import Model
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct AccountListTests {
    private struct Desk {
        let bench: Workbench
        let nina: AppUser
        let office: AppUser

        func names(
            _ filter: AccountFilter, for user: AppUser, after: AccountRow? = nil, limit: Int = 50
        ) async throws -> [AccountRow] {
            try await bench.pool.withConnection { connection in
                try await Accounts.page(
                    scope: user.scope, user: user.id, filter,
                    after: after.map { AccountCursor(nameNorm: $0.nameNorm, id: $0.id) }, limit: limit,
                    on: connection)
            }
        }

        func save(_ filter: AccountFilter, _ name: String) async throws -> ListSettings.Naming {
            try await bench.pool.withConnection {
                try await ListSettings.save(filter, as: name, for: nina.id, on: $0)
            }
        }

        func rename(_ id: Int, _ name: String, of user: AppUser) async throws -> ListSettings.Naming {
            try await bench.pool.withConnection {
                try await ListSettings.rename(id, to: name, of: user.id, on: $0)
            }
        }

        func delete(_ id: Int, of user: AppUser) async throws -> String? {
            try await bench.pool.withConnection { try await ListSettings.delete(id, of: user.id, on: $0) }
        }

        func restore(_ id: Int, of user: AppUser) async throws -> ListSettings.Naming {
            try await bench.pool.withConnection { try await ListSettings.restore(id, of: user.id, on: $0) }
        }

        func filters(of user: AppUser? = nil) async throws -> [SavedFilter] {
            try await bench.pool.withConnection {
                try await ListSettings.read((user ?? nina).id, on: $0).filters
            }
        }
    }

    /// Alpha (prospect) and Bravo (client, overdue) are Nina's; Charlie, a client, is nobody's.
    private func desk() async throws -> Desk {
        let bench = try await Workbench()
        _ = try await bench.accounts(
            "C1,Alpha,,,,,29000,Quimper,", "C2,Bravo,404833048,,,4 rue du Port,29200,Brest,",
            "C3,Charlie,,,,,35000,Rennes,")
        let users = try await bench.pool.withConnection { connection in
            (
                try await AppUsers.add(
                    AppUsers.Draft(login: "nina", name: "Nina", role: .rep), passwordHash: nil, on: connection
                ),
                try await AppUsers.add(
                    AppUsers.Draft(login: "bo", name: "Bo", role: .backOffice), passwordHash: nil,
                    on: connection)
            )
        }
        try await bench.script(
            """
            update party set owner_id = \(users.0.id) where name in ('Alpha', 'Bravo');
            update party set status = 'prospect' where name = 'Alpha';
            update party set status = 'client' where name in ('Bravo', 'Charlie');
            insert into sales_doc (kind, number, source_id, issuer_id, party_id, content_hash, issued_on, open_amount,
              billing_status)
            select 'invoice', 'F' || n, 1, id, id, '', date '2026-01-01' + n, 10 * n, case n when 1 then 'open' else 'overdue' end
            from party, generate_series(1, 2) n where name = 'Bravo'
            """)
        return Desk(bench: bench, nina: users.0, office: users.1)
    }

    @Test func `a status, one's own and what is overdue of it leave what they say`() async throws {
        let desk = try await desk()
        let office = desk.office
        #expect(try await desk.names(.init(), for: office).map(\.name) == ["Alpha", "Bravo", "Charlie"])
        let clients = AccountFilter(status: "client")
        #expect(try await desk.names(clients, for: office).map(\.name) == ["Bravo", "Charlie"])
        #expect(try await desk.names(clients, for: desk.nina).map(\.name) == ["Bravo"])
        #expect(try await desk.names(.init(whose: .mine), for: office).isEmpty)
        #expect(try await desk.names(.init(whose: .mine), for: desk.nina).map(\.name) == ["Alpha", "Bravo"])
        #expect(try await desk.names(.init(whose: .overdue), for: desk.nina).map(\.name) == ["Bravo"])
        let none = AccountFilter(prefix: "al", status: "client", whose: .mine)
        #expect(try await desk.names(none, for: desk.nina).isEmpty)
    }

    @Test func `pages of every filter follow one another`() async throws {
        let desk = try await desk()
        for filter in [AccountFilter(), AccountFilter(status: "client"), AccountFilter(whose: .mine)] {
            let user = filter.whose == .all ? desk.office : desk.nina
            let all = try await desk.names(filter, for: user)
            var found: [AccountRow] = []
            while true {
                let page = try await desk.names(filter, for: user, after: found.last, limit: 1)
                if page.isEmpty { break }
                found += page
            }
            #expect(found.map(\.id) == all.map(\.id))
        }
    }

    @Test func `a status that changes is followed by the list`() async throws {
        let desk = try await desk()
        try await desk.bench.script("update party set status = 'former' where name = 'Charlie'")
        let former = AccountFilter(status: "former")
        #expect(try await desk.names(former, for: desk.office).map(\.name) == ["Charlie"])
        try await desk.bench.script("update party set status = 'other' where name = 'Charlie'")
        #expect(try await desk.names(former, for: desk.office).isEmpty)
    }

    @Test func `a row has every value that a column shows`() async throws {
        let desk = try await desk()
        try await desk.bench.script(
            """
            insert into interaction_party (party_id, occurred_at, interaction_id, channel)
            select id, timestamptz '2026-03-04 10:00+00', 1, 'call' from party where name = 'Bravo'
            """)
        let rows = try await desk.names(.init(prefix: "br"), for: desk.nina)
        let bravo = try #require(rows.first)
        #expect(bravo.siren == "404833048" && bravo.postalCode == "29200" && bravo.street == "4 rue du Port")
        #expect(bravo.open?.reduced.description == "30" && bravo.overdue?.reduced.description == "20")
        #expect(bravo.isLate && bravo.owner == "Nina")
        #expect(bravo.lastInvoice?.description == "2026-01-03")
        #expect(bravo.lastInteraction?.description.hasPrefix("2026-03-04T10:00") == true)
    }

    @Test func `filters with names are one's own, renamed, deleted and brought back`() async throws {
        let desk = try await desk()
        let filter = AccountFilter(prefix: "br", status: "client", whose: .mine)
        guard case .done(let id) = try await desk.save(filter, "Mes clients") else {
            Issue.record("not saved")
            return
        }
        #expect(try await desk.save(.init(), "Mes clients") == .taken)
        #expect(try await desk.save(.init(), "") == .bad)
        #expect(try await desk.save(.init(), String(repeating: "x", count: 61)) == .bad)
        #expect(try await desk.filters().map(\.filter) == [filter])
        #expect(try await desk.filters(of: desk.office).isEmpty)
        let (nina, office) = (desk.nina, desk.office)
        #expect(try await desk.rename(id, "x", of: office) == .unseen)
        #expect(try await desk.delete(id, of: office) == nil)
        #expect(try await desk.rename(id, "Clients", of: nina) == .done(id))
        #expect(try await desk.filters().map(\.name) == ["Clients"])
        #expect(try await desk.restore(id, of: nina) == .done(id))
        #expect(try await desk.filters().map(\.name) == ["Mes clients"])
        #expect(try await desk.delete(id, of: nina) == "Mes clients")
        #expect(try await desk.filters().isEmpty)
        #expect(try await desk.restore(id, of: office) == .unseen)
        #expect(try await desk.restore(id, of: nina) == .done(id))
        #expect(try await desk.filters().map(\.name) == ["Mes clients"])
    }

    @Test func `nobody keeps filters without end`() async throws {
        let desk = try await desk()
        for number in 1...ListSettings.mostFilters {
            guard case .done = try await desk.save(.init(prefix: "\(number)"), "f\(number)") else {
                Issue.record("\(number)")
                return
            }
        }
        #expect(try await desk.save(.init(), "encore") == .full)
    }

    /// A value of the list as the file has it.
    private func text(_ column: AccountColumn, of account: AccountRow) -> String? {
        switch column {
        case .status: account.status
        case .postalCode: account.postalCode
        case .city: account.city
        case .country: account.country
        case .street: account.street
        case .siren: account.siren
        case .vat: account.vat
        case .owner: account.owner
        case .territory: account.territory
        case .openAmount: account.open?.description
        case .overdueAmount: account.overdue?.description
        case .lastInteraction: account.lastInteraction?.description
        case .lastInvoice: account.lastInvoice?.description
        }
    }

    @Test(arguments: [AccountColumn.allCases, AccountColumn.usual, [.lastInvoice, .overdueAmount], []])
    func `the file has the rows and the values of all pages, whoever asks for whichever columns`(
        _ columns: [AccountColumn]
    ) async throws {
        let desk = try await desk()
        try await desk.bench.script(
            """
            insert into interaction_party (party_id, occurred_at, interaction_id, channel)
            select id, timestamptz '2026-03-04 10:00:00.9+00', 1, 'call' from party where name = 'Bravo';
            insert into sales_doc (kind, number, source_id, issuer_id, party_id, content_hash, issued_on, open_amount)
            select 'credit_note', 'A1', 1, id, id, '', date '2026-05-01', 7.50 from party where name = 'Bravo';
            update party set owner_id = (select id from app_user where login = 'bo') where name = 'Charlie';
            update site set city = '' where city = 'Quimper'
            """)
        for user in [desk.nina, desk.office] {
            for filter in [
                AccountFilter(), .init(prefix: "br"), .init(status: "client"), .init(whose: .mine),
                .init(status: "client", whose: .mine), .init(whose: .overdue), .init(prefix: "x'; --"),
            ] {
                let rows = try await desk.names(filter, for: user)
                let expected = rows.map { row in
                    ([String(row.id), row.name] + columns.map { text($0, of: row) ?? "" })
                        .joined(separator: ";")
                }
                let piece = try await desk.bench.pool.withConnection {
                    try await Accounts.exportPiece(
                        scope: user.scope, user: user.id, filter, columns: columns, after: nil, on: $0)
                }
                let lines = String(decoding: piece?.bytes ?? [], as: UTF8.self).split(separator: "\n")
                #expect(lines.map(String.init) == expected, "\(filter)")
            }
        }
    }

    @Test func `pieces of the file follow one another, and leave nothing behind`() async throws {
        let desk = try await desk()
        try await desk.bench.script(
            """
            insert into party (kind, name, status)
            select 'organisation', 'Zoulou ' || i % 5000, 'client' from generate_series(1, 5003) i
            """)
        try await desk.bench.pool.withConnection { connection in
            var (last, ids): (AccountCursor?, [Substring]) = (nil, [])
            while let piece = try await Accounts.exportPiece(
                scope: 0, columns: [], after: last, on: connection)
            {
                ids += String(decoding: piece.bytes, as: UTF8.self).split(separator: "\n").map {
                    $0.prefix { $0 != ";" }
                }
                last = piece.last
            }
            #expect(ids.count == 5006 && Set(ids).count == 5006)
            let left = try await connection.run(
                AdHoc<String>("select coalesce(current_setting('relais.accounts', true), '')"))
            #expect(left == [""])
            let access = try await connection.run(
                AdHoc<String>("select current_setting('transaction_read_only')"))
            #expect(access == ["off"])
        }
    }

    @Test func `the file has the chosen columns and the filter, and no formula`() async throws {
        let desk = try await desk()
        try await desk.bench.script(
            """
            update party set name = '=1+1;"x"' where name = 'Alpha';
            update site set postal_code = '-1' where postal_code = '29200'
            """)
        let (columns, piece) = try await desk.bench.pool.withConnection { connection in
            let usual = try await ListSettings.read(desk.nina.id, on: connection).columns
            #expect(usual == AccountColumn.usual)
            try await ListSettings.choose([.postalCode, .overdueAmount], for: desk.nina.id, on: connection)
            let columns = try await ListSettings.read(desk.nina.id, on: connection).columns
            let piece = try await Accounts.exportPiece(
                scope: desk.nina.scope, user: desk.nina.id, .init(whose: .mine), columns: columns, after: nil,
                on: connection)
            return (columns, piece)
        }
        #expect(columns == [.postalCode, .overdueAmount])
        #expect(Accounts.exportHeader(columns) == ["id", "name", "postal_code", "overdue_amount"])
        let found = try #require(piece)
        let lines = String(decoding: found.bytes, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0].hasSuffix(";\"'=1+1;\"\"x\"\"\";29000;"))
        #expect(lines[1].hasSuffix(";Bravo;'-1;20"))
        let next = try await desk.bench.pool.withConnection {
            try await Accounts.exportPiece(scope: desk.nina.scope, after: found.last, on: $0)
        }
        #expect(next == nil)
    }
}
