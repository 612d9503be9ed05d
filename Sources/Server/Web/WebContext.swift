// SPDX-License-Identifier: Apache-2.0
// A request on its way through the server, and who sends it.

internal import CRM
internal import Diagnostics
internal import Hummingbird
internal import NIOCore

/// Somebody who is signed in.
struct Visitor: Sendable {
    let user: AppUser
    /// What the browser shows.
    let session: SecretToken

    /// What forms of this session carry, which no other site can know.
    var formToken: String { session.derived(for: Self.use) }

    func isFormToken(_ text: String) -> Bool { session.isDerived(text, for: Self.use) }

    private static let use = "form"
}

/// One request.
struct WebContext: RequestContext, RemoteAddressRequestContext {
    var coreContext: CoreRequestContextStorage
    let remoteAddress: SocketAddress?
    /// Who sends it; nil for everybody else.
    var visitor: Visitor?
    /// The program that sends it; nil for people, and without a token.
    var caller: APICaller?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        remoteAddress = source.channel.remoteAddress
    }

    /// Where it comes from, as far as this server sees.
    var address: String { remoteAddress?.ipAddress ?? "local" }

    /// Who sends it.
    ///
    /// - Throws: `SIGN-IN-NEEDED`.
    func user() throws -> AppUser {
        guard let visitor else { throw ServerError(.signInNeeded) }
        return visitor.user
    }

    /// Who sends it, where flows, runs and quarantine are his business.
    ///
    /// - Throws: `SIGN-IN-NEEDED`, `HTTP-FORBIDDEN`.
    func operating() throws -> AppUser {
        let user = try user()
        guard user.mayOperate else { throw ServerError(.forbidden) }
        return user
    }

    /// Who sends it, where he mends what comes in, which shows clients whoever they belong to.
    ///
    /// - Throws: `SIGN-IN-NEEDED`, `HTTP-FORBIDDEN`.
    func handling() throws -> AppUser {
        let user = try user()
        guard user.mayHandle else { throw ServerError(.forbidden) }
        return user
    }

    /// Who sends it, where the machine that this runs on is his business.
    ///
    /// - Throws: `SIGN-IN-NEEDED`, `HTTP-FORBIDDEN`.
    func maintaining() throws -> AppUser {
        let user = try user()
        guard user.isAdmin || user.role == .it else { throw ServerError(.forbidden) }
        return user
    }

    /// Who sends it, where people and settings are his business.
    ///
    /// - Throws: `SIGN-IN-NEEDED`, `HTTP-FORBIDDEN`.
    func administering() throws -> AppUser {
        let user = try user()
        guard user.isAdmin else { throw ServerError(.forbidden) }
        return user
    }

    /// The number in the path.
    ///
    /// - Throws: `HTTP-NOT-FOUND` for anything that is no number of a row.
    func number(_ name: String = "id") throws -> Int {
        guard let id = parameters.get(name, as: Int.self), id > 0 else { throw ServerError(.notFound) }
        return id
    }
}
