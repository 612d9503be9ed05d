// SPDX-License-Identifier: Apache-2.0
// People of accounts written by hand: files do not take it back, an undo does.

import CRM
import Hub
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct PersonEditTests {
    private struct Desk {
        let bench: Workbench
        let account: Int
        let nina: AppUser
        let noe: AppUser
        let rep: AppUser

        func person(_ name: String) async throws -> Int {
            let ids = try await bench.numbers(
                "select id from party where kind = 'person' and name = '\(name)'")
            return try #require(ids.first)
        }

        func show(_ person: Int, for user: AppUser? = nil) async throws -> EditablePerson? {
            try await bench.pool.withConnection {
                try await PersonEdits.show(person, at: account, for: user ?? nina, on: $0)
            }
        }

        func save(
            _ change: [PersonField: String], contacts: [ContactChange] = [], of person: Int,
            was: EditablePerson, by user: AppUser? = nil
        ) async throws -> PersonEdits.Outcome {
            let draft = PersonEdits.Draft(
                was: was.fields, now: was.fields.merging(change) { $1 }, contacts: contacts)
            return try await bench.pool.withConnection {
                try await PersonEdits.save(draft, of: person, at: account, by: user ?? nina, on: $0)
            }
        }

        func people() async throws -> [AccountView.Entry] {
            let view = try await bench.pool.withConnection {
                try await Accounts.view(account, for: nina, on: $0)
            }
            return view?.entries.filter { $0.kind == "person" } ?? []
        }

        func file(_ title: String, phone: String = "02 98 00 00 01", name: String) async throws -> Int {
            let header = "Code;Civilité;Prénom;Nom;Fonction;Courriel;Téléphone;Portable;SIREN\n"
            let row = "P1;Mme;Anne;Le Goff;\(title);a@x.example.fr;\(phone);;404833048\n"
            return try await bench.run([try bench.write(header + row, name)]).ledger.unchanged
        }
    }

    private func desk() async throws -> Desk {
        let bench = try await Workbench()
        _ = try await bench.accounts("C1,Alpha,404833048,,,4 rue du Port,29200,Brest,")
        let users = try await bench.pool.withConnection { connection in
            var users: [AppUser] = []
            for (login, role) in [("nina", AppUser.Role.backOffice), ("noe", .backOffice), ("rep", .rep)] {
                let draft = AppUsers.Draft(login: login, name: login, role: role)
                users.append(try await AppUsers.add(draft, passwordHash: nil, on: connection))
            }
            return users
        }
        let ids = try await bench.numbers("select id from party where name = 'Alpha'")
        return Desk(
            bench: bench, account: try #require(ids.first), nina: users[0], noe: users[1], rep: users[2])
    }

    private func run(_ outcome: PersonEdits.Outcome) -> Int? {
        if case .saved(let run) = outcome { run } else { nil }
    }

    private static let draft = PersonEdits.Draft(
        was: [:], now: [.firstName: "Élodie", .lastName: "Marchand", .jobTitle: "Achats"],
        contacts: [
            ContactChange(field: .phone, was: "", now: "06 12 34 56 78"),
            ContactChange(field: .email, was: "", now: "Elodie@Alpha.fr"),
            ContactChange(field: .email, was: "", now: ""),
        ])

    @Test func `a person who is added works there, is reached and found, and goes with an undo`() async throws
    {
        let desk = try await desk()
        let added = try await desk.bench.pool.withConnection {
            try await PersonEdits.add(Self.draft, at: desk.account, by: desk.nina, on: $0)
        }
        let run = try #require(added)
        let person = try #require(try await desk.people().first)
        #expect(person.value == "Élodie Marchand" && person.note == "Achats")
        #expect(person.phone == "06 12 34 56 78" && person.email == "Elodie@Alpha.fr")
        let hits = try await desk.bench.pool.withConnection {
            try await GlobalSearch.find("elodie", scope: 0, on: $0)
        }
        #expect(hits.map(\.account) == [desk.account])
        #expect(
            try await desk.bench.texts("select value_norm from contact_point order by 1") == [
                "+33612345678", "elodie@alpha.fr",
            ])
        let isOwn = try await desk.bench.pool.withConnection {
            try await AccountEdits.isOwn(run, of: desk.account, by: desk.nina, on: $0)
        }
        #expect(isOwn)
        try await desk.bench.undo(run)
        #expect(try await desk.people().isEmpty)
        #expect(
            try await desk.bench.numbers(
                """
                select (select count(*) from party where kind = 'person') + (select count(*) from relation)
                  + (select count(*) from contact_point) + (select count(*) from field_claim where entity = 'person')
                """) == [0])
        #expect(try await desk.bench.numbers("select count(*) from party where name = 'Alpha'") == [1])
    }

    @Test func `what a person wrote of another outlives the file, and an undo brings the file's back`()
        async throws
    {
        let desk = try await desk()
        _ = try await desk.file("Comptable", name: "contacts.csv")
        let anne = try await desk.person("Anne Le Goff")
        let was = try #require(try await desk.show(anne))
        #expect(was.fields[.jobTitle] == "Comptable")
        let change = ContactChange(field: .phone, was: "02 98 00 00 01", now: "02 98 00 00 09")
        let saved = try await desk.save(
            [.jobTitle: "Directrice", .lastName: "Morvan"], contacts: [change], of: anne, was: was)
        let edit = try #require(run(saved))
        #expect(try await desk.file("Comptable ", name: "encore.csv") == 1)
        let now = try #require(try await desk.show(anne))
        #expect(now.fields == [.firstName: "Anne", .lastName: "Morvan", .jobTitle: "Directrice"])
        #expect(now.contacts.map(\.value).sorted() == ["02 98 00 00 09", "a@x.example.fr"])
        try await desk.bench.undo(edit)
        let before = try #require(try await desk.show(anne))
        #expect(before.fields == was.fields && before.contacts == was.contacts)
        #expect(before.name == "Anne Le Goff")
    }

    @Test func `whoever is taken away stays away whatever the file says, until that is undone`() async throws
    {
        let desk = try await desk()
        _ = try await desk.file("Comptable", name: "contacts.csv")
        let anne = try await desk.person("Anne Le Goff")
        let left = try await desk.bench.pool.withConnection {
            try await PersonEdits.remove(anne, from: desk.account, by: desk.nina, on: $0)
        }
        let run = try #require(left)
        #expect(try await desk.people().isEmpty)
        _ = try await desk.file("Comptable", name: "encore.csv")
        #expect(try await desk.people().isEmpty)
        try await desk.bench.undo(run)
        #expect(try await desk.people().map(\.value) == ["Anne Le Goff"])
    }

    @Test func `two people who edit one field: the second is told, and nothing is lost`() async throws {
        let desk = try await desk()
        _ = try await desk.file("Comptable", name: "contacts.csv")
        let anne = try await desk.person("Anne Le Goff")
        let was = try #require(try await desk.show(anne))
        _ = try await desk.save([.jobTitle: "Directrice"], of: anne, was: was)
        let second = try await desk.save(
            [.jobTitle: "Gérante", .firstName: "Annie"], of: anne, was: was, by: desk.noe)
        guard case .conflicts(let conflicts) = second else {
            Issue.record("\(second)")
            return
        }
        #expect(conflicts.map(\.field) == [.jobTitle] && conflicts.map(\.theirs) == ["Directrice"])
        #expect(try await desk.show(anne)?.fields[.firstName] == "Anne")
        let same = try await desk.save([:], of: anne, was: was, by: desk.noe)
        #expect(run(same) == nil)
    }

    @Test func `a rep writes to nobody at accounts that are not his`() async throws {
        let desk = try await desk()
        _ = try await desk.file("Comptable", name: "contacts.csv")
        let anne = try await desk.person("Anne Le Goff")
        let was = try #require(try await desk.show(anne))
        #expect(try await desk.show(anne, for: desk.rep) == nil)
        guard case .unseen = try await desk.save([.jobTitle: "x"], of: anne, was: was, by: desk.rep) else {
            Issue.record("saved")
            return
        }
        let (added, removed) = try await desk.bench.pool.withConnection { connection in
            (
                try await PersonEdits.add(Self.draft, at: desk.account, by: desk.rep, on: connection),
                try await PersonEdits.remove(anne, from: desk.account, by: desk.rep, on: connection)
            )
        }
        #expect(added == nil && removed == nil)
        #expect(try await desk.people().map(\.value) == ["Anne Le Goff"])
    }
}
