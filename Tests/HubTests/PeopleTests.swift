// SPDX-License-Identifier: Apache-2.0
// Users, passwords, links, sessions and tokens.

import CRM
import Diagnostics
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct PeopleTests {
    private let passwords = Passwords(cost: .init(logN: 10, parallelism: 1))
    private let good = "quatre mots bien choisis"

    private func bench() async throws -> (Pool, SignIn) {
        (Pool(try await TestDatabase.migrated()), SignIn(passwords: passwords))
    }

    private func add(
        _ login: String, isAdmin: Bool = false, _ pool: Pool
    ) async throws -> AppUser {
        var draft = AppUsers.Draft(login: login, name: login, role: .rep)
        draft.isAdmin = isAdmin
        let hash = try await passwords.hash(good)
        return try await pool.withConnection { [draft] in
            try await AppUsers.add(draft, passwordHash: hash, on: $0)
        }
    }

    private func expect(
        _ code: String?, _ location: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
    ) async {
        let found = await self.code(body)
        #expect(found == code, sourceLocation: location)
    }

    private func code(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? any ReportableError)?.diagnostic.code ?? "\(error)"
        }
    }

    @Test func `a password is known again, in either form of its accents, and no other is`() async throws {
        let hash = try await passwords.hash("très long mot de passe")
        #expect(hash.hasPrefix("scrypt$10$8$1$"))
        #expect(try await passwords.verify("très long mot de passe", against: hash))
        #expect(try await passwords.verify("tre\u{300}s long mot de passe", against: hash))
        #expect(try await !passwords.verify("tres long mot de passe", against: hash))
        #expect(try await !passwords.verify("très long mot de passe", against: nil))
        #expect(try await !passwords.verify("très long mot de passe", against: "scrypt$99$8$1$AA$AA"))
        #expect(try await passwords.hash("très long mot de passe") != hash)
        await expect("PASSWORD-SHORT") { _ = try await passwords.hash("court") }
        await expect("PASSWORD-SHORT") { _ = try await passwords.hash(String(repeating: "x", count: 1025)) }
    }

    @Test func `a session is its user's until it ends or he is disabled`() async throws {
        let (pool, signIn) = try await bench()
        _ = try await add("nina", pool)
        let first = try await signIn.enter("NINA", good, from: "::1", in: pool)
        let second = try await signIn.enter("nina", good, from: "::1", in: pool)
        #expect(first.text != second.text)
        try await pool.withConnection { connection in
            #expect(try await SignIn.user(first, on: connection)?.login == "nina")
            #expect(try await SignIn.user(SecretToken(), on: connection) == nil)
            try await SignIn.leave(first, on: connection)
            #expect(try await SignIn.user(first, on: connection) == nil)
            try await AppUsers.disable("nina", on: connection)
            #expect(try await SignIn.user(second, on: connection) == nil)
        }
        await expect("SIGN-IN-REFUSED") { _ = try await signIn.enter("nina", good, from: "::1", in: pool) }
        let kept: [String?] = try await pool.withConnection {
            try await $0.run(AdHoc<String?>("select string_agg(encode(token_hash, 'hex'), '') from session"))
        }
        #expect(kept == [nil])
    }

    @Test func `whoever guesses waits longer and longer, also with the right password then`() async throws {
        let (pool, signIn) = try await bench()
        _ = try await add("nina", pool)
        var codes: [String?] = []
        for _ in 0..<6 {
            codes.append(
                await code { _ = try await signIn.enter("nina", "faux", from: "10.0.0.1", in: pool) })
        }
        #expect(codes == Array(repeating: "SIGN-IN-REFUSED", count: 5) + ["SIGN-IN-BLOCKED"])
        // The wait itself is seconds, which pass on a busy machine: here it is made an hour.
        try await pool.withConnection {
            try await $0.script(
                "update sign_in_failure set blocked_until = now() + interval '1 hour' where key = 'login:nina'"
            )
        }
        await expect("SIGN-IN-BLOCKED") {
            _ = try await signIn.enter("nina", good, from: "10.0.0.2", in: pool)
        }
        // Others are not kept out by that.
        _ = try await add("noe", pool)
        _ = try await signIn.enter("noe", good, from: "10.0.0.1", in: pool)
        try await pool.withConnection {
            try await $0.script("update sign_in_failure set blocked_until = now() - interval '1 s'")
        }
        _ = try await signIn.enter("nina", good, from: "10.0.0.2", in: pool)
    }

    @Test func `many guesses at once are counted one by one`() async throws {
        let (pool, signIn) = try await bench()
        _ = try await add("nina", pool)
        let codes = await withTaskGroup(of: String?.self) { group in
            for number in 0..<30 {
                group.addTask {
                    await code {
                        _ = try await signIn.enter("nina", "faux", from: "10.0.1.\(number)", in: pool)
                    }
                }
            }
            return await group.reduce(into: [String?]()) { $0.append($1) }
        }
        #expect(codes.count { $0 == "SIGN-IN-REFUSED" } <= 5, "\(codes)")
    }

    @Test func `one address that tries many logins is kept out too`() async throws {
        let (pool, signIn) = try await bench()
        var last: String?
        for number in 0..<52 {
            last = await code {
                _ = try await signIn.enter("nobody\(number)", "faux", from: "10.0.0.9", in: pool)
            }
        }
        #expect(last == "SIGN-IN-BLOCKED")
    }

    @Test func `the first administrator comes by a link that works once`() async throws {
        let (pool, signIn) = try await bench()
        let made = try await pool.withConnection { try await SignIn.firstLink(on: $0) }
        let old = try #require(made)
        let again = try await pool.withConnection { try await SignIn.firstLink(on: $0) }
        let link = try #require(again)
        await expect("SIGN-IN-LINK") {
            _ = try await signIn.use(old, login: "x", name: "X", password: good, in: pool)
        }
        await expect("USER-LOGIN") {
            _ = try await signIn.use(link, login: "é", name: "X", password: good, in: pool)
        }
        let session = try await signIn.use(link, login: "Ines", name: "Inès V.", password: good, in: pool)
        try await pool.withConnection { connection in
            let user = try await SignIn.user(session, on: connection)
            #expect(user?.login == "ines" && user?.isAdmin == true && user?.scope == 0)
            #expect(try await SignIn.firstLink(on: connection) == nil)
        }
        await expect("SIGN-IN-LINK") {
            _ = try await signIn.use(link, login: "y", name: "Y", password: good, in: pool)
        }
    }

    @Test func `an invited user chooses a password, and other sessions of his end`() async throws {
        let (pool, signIn) = try await bench()
        let nina = try await add("nina", pool)
        let before = try await signIn.enter("nina", good, from: "::1", in: pool)
        let link = try await pool.withConnection { try await SignIn.link(for: nina.id, on: $0) }
        let session = try await signIn.use(
            link, login: "autre", name: "Autre", password: good + "!", in: pool)
        let users = try await pool.withConnection { connection in
            (
                try await SignIn.user(before, on: connection), try await SignIn.user(session, on: connection)
            )
        }
        #expect(users.0 == nil && users.1?.login == "nina")
        await expect("SIGN-IN-REFUSED") { _ = try await signIn.enter("nina", good, from: "::1", in: pool) }
        _ = try await signIn.enter("nina", good + "!", from: "::1", in: pool)
    }

    @Test func `the last administrator cannot be shut out`() async throws {
        let (pool, _) = try await bench()
        _ = try await add("ines", isAdmin: true, pool)
        func disable(_ login: String) async -> String? {
            await code { try await pool.withConnection { try await AppUsers.disable(login, on: $0) } }
        }
        #expect(await disable("ines") == "USER-LAST-ADMIN")
        _ = try await add("igor", isAdmin: true, pool)
        #expect(await disable("ines") == nil)
        #expect(await disable("igor") == "USER-LAST-ADMIN")
        #expect(await disable("personne") == "USER-UNKNOWN")
    }

    @Test func `logins are plain and each somebody's only`() async throws {
        let (pool, _) = try await bench()
        _ = try await add("nina.b", pool)
        await expect("USER-TAKEN") { _ = try await add("Nina.B", pool) }
        for wrong in ["", "a b", "é", ".a", "a'b", "<script>", String(repeating: "a", count: 64)] {
            await expect("USER-LOGIN") { _ = try await add(wrong, pool) }
        }
    }

    @Test func `a token opens what it is for until it is revoked, and is kept as a hash`() async throws {
        let (pool, _) = try await bench()
        let nina = try await add("nina", pool)
        try await pool.withConnection { connection in
            let token = try await AccessTokens.make(
                .appPassword, label: "téléphone", for: nina.id, on: connection)
            #expect(try await AccessTokens.find(token, .appPassword, on: connection)?.user.login == "nina")
            #expect(try await AccessTokens.find(token, .api, on: connection) == nil)
            let stored = try await connection.run(
                AdHoc<Int>("select count(*) from access_token t where t::text like '%\(token.text)%'"))
            #expect(stored == [0])
            let list = try await AccessTokens.list(of: nina.id, on: connection)
            #expect(list.map(\.label) == ["téléphone"])
            #expect(try await !AccessTokens.revoke(list[0].id, of: nina.id + 1, on: connection))
            #expect(try await AccessTokens.revoke(list[0].id, of: nina.id, on: connection))
            #expect(try await AccessTokens.find(token, .appPassword, on: connection) == nil)
        }
        await expect("TOKEN-LABEL") {
            _ = try await pool.withConnection {
                try await AccessTokens.make(.api, label: "", for: nina.id, on: $0)
            }
        }
    }

    @Test func `a text of a form is known only to whoever has the session`() {
        let (mine, other) = (SecretToken(), SecretToken())
        #expect(mine.isDerived(mine.derived(for: "form"), for: "form"))
        #expect(!other.isDerived(mine.derived(for: "form"), for: "form"))
        #expect(!mine.isDerived(mine.derived(for: "form"), for: "other"))
        #expect(SecretToken(mine.text)?.text == mine.text)
        #expect(SecretToken("short") == nil && SecretToken(String(repeating: "é", count: 43)) == nil)
    }
}
