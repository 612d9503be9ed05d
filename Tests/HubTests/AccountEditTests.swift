// SPDX-License-Identifier: Apache-2.0
// Accounts changed by hand: what people say outranks files, nothing is lost, and it can be taken back.

import CRM
import Hub
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct AccountEditTests {
    private struct Desk {
        let bench: Workbench
        let id: Int
        let nina: AppUser
        let noe: AppUser

        func fields() async throws -> [AccountField: String] {
            let found = try await bench.pool.withConnection {
                try await AccountEdits.fields(of: id, for: nina, on: $0)
            }
            return try #require(found)
        }

        func save(
            _ change: [AccountField: String], was: [AccountField: String], by user: AppUser? = nil
        ) async throws -> AccountEdits.Outcome {
            try await bench.pool.withConnection { connection in
                try await AccountEdits.save(
                    was.merging(change) { $1 }, was: was, of: id, by: user ?? nina, on: connection)
            }
        }
    }

    private func desk() async throws -> Desk {
        let bench = try await Workbench()
        _ = try await bench.accounts("C1,Alpha,,,,4 rue du Port,29200,Brest,")
        let ids = try await bench.numbers("select id from party where name = 'Alpha'")
        let users = try await bench.pool.withConnection { connection in
            var users: [AppUser] = []
            for login in ["nina", "noe"] {
                let draft = AppUsers.Draft(login: login, name: login, role: .backOffice)
                users.append(try await AppUsers.add(draft, passwordHash: nil, on: connection))
            }
            return users
        }
        return Desk(bench: bench, id: try #require(ids.first), nina: users[0], noe: users[1])
    }

    private func run(_ outcome: AccountEdits.Outcome) -> Int? {
        if case .saved(let run) = outcome { run } else { nil }
    }

    @Test func `what a person typed stays when the file says otherwise again, and both are seen`()
        async throws
    {
        let desk = try await desk()
        let was = try await desk.fields()
        let saved = try await desk.save([.city: "Quimper", .name: "Alpha SARL"], was: was)
        #expect(run(saved) != nil)
        _ = try await desk.bench.accounts("C1,Alpha,,,,4 rue du Port,29200,Lorient,", name: "encore.csv")
        let now = try await desk.fields()
        #expect(now[.city] == "Quimper" && now[.name] == "Alpha SARL" && now[.street] == "4 rue du Port")
        let found = try await desk.bench.pool.withConnection {
            try await Accounts.view(desk.id, for: desk.nina, on: $0)
        }
        let view = try #require(found)
        let claims = view.claims.filter { $0.field == "city" }
        #expect(claims.map(\.value) == ["Quimper", "Lorient"])
        #expect(claims.first?.person == "nina" && claims.last?.file?.hasSuffix("encore.csv") == true)
    }

    @Test func `an edit is a run that an undo takes back`() async throws {
        let desk = try await desk()
        let was = try await desk.fields()
        let first = try #require(run(try await desk.save([.city: "Quimper"], was: was)))
        let second = try #require(
            run(try await desk.save([.city: "Vannes"], was: was.merging([.city: "Quimper"]) { $1 })))
        try await desk.bench.undo(second)
        #expect(try await desk.fields()[.city] == "Quimper")
        try await desk.bench.undo(first)
        #expect(try await desk.fields()[.city] == "Brest")
        let isOwn = try await desk.bench.pool.withConnection {
            (
                try await AccountEdits.isOwn(first, of: desk.id, by: desk.nina, on: $0),
                try await AccountEdits.isOwn(first, of: desk.id, by: desk.noe, on: $0)
            )
        }
        #expect(isOwn.0 && !isOwn.1)
    }

    @Test func `two people who edit different fields both keep theirs`() async throws {
        let desk = try await desk()
        let was = try await desk.fields()
        _ = try await desk.save([.city: "Quimper"], was: was)
        _ = try await desk.save([.street: "1 quai Neuf"], was: was, by: desk.noe)
        let now = try await desk.fields()
        #expect(now[.city] == "Quimper" && now[.street] == "1 quai Neuf")
    }

    @Test func `two people who edit one field: the second is told, and nothing is lost`() async throws {
        let desk = try await desk()
        let was = try await desk.fields()
        _ = try await desk.save([.city: "Quimper"], was: was)
        let second = try await desk.save([.city: "Vannes", .street: "1 quai Neuf"], was: was, by: desk.noe)
        guard case .conflicts(let conflicts) = second else {
            Issue.record("\(second)")
            return
        }
        #expect(conflicts == [AccountConflict(field: .city, mine: "Vannes", theirs: "Quimper")])
        let now = try await desk.fields()
        #expect(now[.city] == "Quimper" && now[.street] == "4 rue du Port")
    }

    @Test func `an account made by hand is a prospect, a rep's own, and goes when that is undone`()
        async throws
    {
        let desk = try await desk()
        let found = try await desk.bench.pool.withConnection { connection in
            let draft = AppUsers.Draft(login: "rep", name: "Rep", role: .rep)
            let rep = try await AppUsers.add(draft, passwordHash: nil, on: connection)
            let made = try await AccountEdits.create(
                [.name: "Neuf", .siren: "404833048", .city: "Brest", .vat: ""], by: rep, on: connection)
            guard case .made(let account, let run) = made else { return (0, 0, false, [String: String]()) }
            let view = try await Accounts.view(account, for: rep, on: connection)
            let claims = view?.claims.map { ($0.field, $0.person ?? "") } ?? []
            let isOwn = try await AccountEdits.isOwn(run, of: account, by: rep, on: connection)
            return (account, run, isOwn, Dictionary(claims) { $1 })
        }
        #expect(found.0 > 0 && found.2)
        #expect(found.3 == ["name": "Rep", "siren": "Rep", "city": "Rep"])
        let again = try await desk.bench.pool.withConnection {
            try await AccountEdits.create([.name: "Autre", .siren: "404833048"], by: desk.nina, on: $0)
        }
        guard case .taken(.siren) = again else {
            Issue.record("\(again)")
            return
        }
        try await desk.bench.undo(found.1)
        #expect(
            try await desk.bench.numbers("select count(*) from party where name in ('Neuf', 'Autre')") == [0])
        #expect(
            try await desk.bench.numbers("select count(*) from party_scope where party_id = \(found.0)") == [
                0
            ])
    }

    @Test
    func
        `who types an account that is there is told which, the surest first, and never of one he does not see`()
        async throws
    {
        let desk = try await desk()
        _ = try await desk.bench.accounts(
            "C2,Hydraulique Vernay SAS,404833048,,,,29200,Brest,", "C3,Boulangerie Morin,,,,,,,",
            name: "b.csv")
        let (found, byName, other, unseen) = try await desk.bench.pool.withConnection { connection in
            let rep = try await AppUsers.add(
                AppUsers.Draft(login: "rep", name: "Rep", role: .rep), passwordHash: nil, on: connection)
            let typed: [AccountField: String] = [.name: "Alpha", .siren: "404833048", .vat: ""]
            return (
                try await AccountEdits.likely(typed, for: desk.nina, on: connection),
                try await AccountEdits.likely([.name: "vernay hydraulique"], for: desk.nina, on: connection),
                try await AccountEdits.likely(
                    [.name: "Alpha"], except: desk.id, for: desk.nina, on: connection),
                try await AccountEdits.likely(typed, for: rep, on: connection)
            )
        }
        #expect(found.map(\.name) == ["Hydraulique Vernay SAS", "Alpha"])
        #expect(found.map(\.reason) == [.siren, .name] && found.first?.takenField == .siren)
        #expect(byName.map(\.name) == ["Hydraulique Vernay SAS"])
        #expect(other == [] && unseen == [])
        // The session is as it was.
        let settings = try await desk.bench.texts("show enable_seqscan")
        #expect(settings == ["on"])
    }

    @Test func `nothing different writes nothing`() async throws {
        let desk = try await desk()
        let before = try await desk.bench.digest()
        let was = try await desk.fields()
        let saved = try await desk.save([.city: "Brest"], was: was)
        #expect(run(saved) == nil)
        #expect(try await desk.bench.digest() == before)
    }

    @Test func `a field that a person empties stays empty whatever the file says, until that is undone`()
        async throws
    {
        let desk = try await desk()
        let was = try await desk.fields()
        let emptied = try #require(run(try await desk.save([.street: ""], was: was)))
        #expect(try await desk.fields()[.street] == "")
        _ = try await desk.bench.accounts("C1,Alpha,,,,5 rue du Port,29200,Brest,", name: "encore.csv")
        #expect(try await desk.fields()[.street] == "")
        try await desk.bench.undo(emptied)
        #expect(try await desk.fields()[.street] == "5 rue du Port")
    }

    @Test
    func `a phone that a person takes away or changes does not come back with the file, but with an undo`()
        async throws
    {
        let desk = try await desk()
        _ = try await desk.bench.accounts(
            "C1,Alpha,,,,4 rue du Port,29200,Brest,02 98 00 00 01", name: "t.csv")
        func phones() async throws -> [String?] {
            try await desk.bench.texts(
                "select value_norm from contact_point where party_id = \(desk.id) and kind = 'phone' order by 1"
            )
        }
        #expect(try await phones() == ["+33298000001"])
        let was = try await desk.fields()
        let change = ContactChange(field: .phone, was: "02 98 00 00 01", now: "0298000002")
        let saved = try await desk.bench.pool.withConnection {
            try await AccountEdits.save(
                was, was: was, contacts: [change], of: desk.id, by: desk.nina, on: $0)
        }
        let edit = try #require(run(saved))
        #expect(try await phones() == ["+33298000002"])
        let ledger = try await desk.bench.accounts(
            "C1,Alpha,,,,4 rue du Port,29200,Brest,02.98.00.00.01", name: "t2.csv")
        #expect(ledger.unchanged == 1)
        #expect(try await phones() == ["+33298000002"])
        // Who changes what is gone meanwhile is told.
        let second = try await desk.bench.pool.withConnection {
            try await AccountEdits.save(
                was, was: was,
                contacts: [ContactChange(field: .phone, was: "02 98 00 00 01", now: "0298000003")],
                of: desk.id, by: desk.noe, on: $0)
        }
        guard case .conflicts(let conflicts) = second else {
            Issue.record("\(second)")
            return
        }
        #expect(conflicts.map(\.contact) == [.phone])
        try await desk.bench.undo(edit)
        #expect(try await phones() == ["+33298000001"])
        #expect(
            try await desk.bench.numbers("select count(*) from field_claim where field like 'phone:%'") == [0]
        )
    }

    @Test func `a number of another account is refused, and both accounts stay`() async throws {
        let desk = try await desk()
        _ = try await desk.bench.accounts("C2,Bravo,404833048,,,,,,", name: "b.csv")
        let outcome = try await desk.save([.siren: "404833048"], was: try await desk.fields())
        guard case .taken(.siren) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(
            try await desk.bench.numbers("select count(*) from party where name in ('Alpha', 'Bravo')") == [2]
        )
    }

    @Test func `fields say what is wrong with a text`() {
        #expect(AccountField.siren.fault(in: "404833048") == nil)
        #expect(AccountField.siren.fault(in: "404833047") == "EDIT-SIREN")
        #expect(AccountField.siret.fault(in: "1") == "EDIT-SIRET")
        #expect(AccountField.name.fault(in: "") == "EDIT-NAME")
        #expect(AccountField.country.fault(in: "France") == "EDIT-COUNTRY")
        #expect(AccountField.siren.normalised("404 833 048") == "404833048")
        #expect(ContactField.phone.fault(in: "02 98 00 00 01") == nil)
        #expect(ContactField.phone.fault(in: "12") == "EDIT-PHONE")
        #expect(ContactField.email.fault(in: "a@b.fr") == nil && ContactField.email.fault(in: "") == nil)
        #expect(ContactField.email.fault(in: "a@b") == "EDIT-EMAIL")
        #expect(ContactField.phone.norm(of: "02 98 00 00 01") == "+33298000001")
        #expect(AccountField.vat.normalised("fr 40 303265045") == "FR40303265045")
    }
}
