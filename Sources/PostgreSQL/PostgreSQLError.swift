// SPDX-License-Identifier: Apache-2.0
// What can go wrong between Relais and PostgreSQL, by SQLSTATE.

package import Diagnostics

/// An error of the server, of the connection to it, or of the private cluster.
package struct PostgreSQLError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case unreachable = "PG-UNREACHABLE"
        case unauthorized = "PG-UNAUTHORIZED"
        case noDatabase = "PG-NO-DATABASE"
        case tooManyConnections = "PG-TOO-MANY-CONNECTIONS"
        case connectionLost = "PG-CONNECTION-LOST"
        case commitUnknown = "PG-COMMIT-UNKNOWN"
        case shuttingDown = "PG-SHUTTING-DOWN"
        case diskFull = "PG-DISK-FULL"
        case cancelled = "PG-CANCELLED"
        case timedOut = "PG-TIMED-OUT"
        case conflict = "PG-CONFLICT"
        case constraint = "PG-CONSTRAINT"
        case readOnly = "PG-READ-ONLY"
        case statement = "PG-STATEMENT"
        case decoding = "PG-DECODING"
        case poolTimeout = "PG-POOL-TIMEOUT"
        case poolClosed = "PG-POOL-CLOSED"
        case migrationChanged = "PG-MIGRATION-CHANGED"
        case schemaNewer = "PG-SCHEMA-NEWER"
        case notInstalled = "PG-NOT-INSTALLED"
        case clusterVersion = "PG-CLUSTER-VERSION"
        case clusterForeign = "PG-CLUSTER-FOREIGN"
        case clusterFolder = "PG-CLUSTER-FOLDER"
        case clusterStart = "PG-CLUSTER-START"
        case clusterBusy = "PG-CLUSTER-BUSY"
        case toolFailed = "PG-TOOL-FAILED"
        case backupInvalid = "PG-BACKUP-INVALID"
        case backupTarget = "PG-BACKUP-TARGET"
        case clusterInterrupted = "PG-CLUSTER-INTERRUPTED"
        case restoreTarget = "PG-RESTORE-TARGET"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }

    /// The error of a connection that was closed before the call.
    static let closed = PostgreSQLError(
        .connectionLost, ["detail": "closed"], retry: .after(.seconds(1)))

    /// The five-character SQLSTATE that the server sent, when it did.
    package var sqlState: String? { diagnostic.facts["sqlstate"] }

    /// Whether the values sent are to blame (classes 22, 23 and 54), so that other rows may go on.
    package var isFaultOfTheData: Bool {
        ["22", "23", "54"].contains(String((sqlState ?? "").prefix(2)))
    }

    /// The server's answer as an error; its primary message and constraint name are kept as facts.
    ///
    /// - Source: PostgreSQL 15, appendix A.
    init(sqlState: String, message: String, constraint: String? = nil, hint: String? = nil) {
        var facts = ["sqlstate": sqlState, "detail": message]
        facts["constraint"] = constraint
        facts["server_hint"] = hint
        let (code, retry) = Self.meaning(of: sqlState)
        self.init(code, facts, retry: retry)
    }

    private static func meaning(of sqlState: String) -> (Code, RetryAdvice) {
        switch sqlState {
        case "53300": (.tooManyConnections, .after(.seconds(1)))
        case "53100": (.diskFull, .never)
        case "57014": (.cancelled, .never)
        case "57P01", "57P02", "57P03": (.shuttingDown, .after(.seconds(1)))
        case "3D000": (.noDatabase, .never)
        case "28000", "28P01": (.unauthorized, .reauthorize)
        case "40001", "40P01", "55P03": (.conflict, .after(.milliseconds(50)))
        case "25006": (.readOnly, .after(.seconds(1)))
        default:
            switch sqlState.prefix(2) {
            case "08": (.connectionLost, .after(.seconds(1)))
            case "23": (.constraint, .never)
            case "53": (.diskFull, .never)
            default: (.statement, .never)
            }
        }
    }

    /// A failure to connect, from libpq's report in verbose form, where the server's part reads
    /// `FATAL:  28P01: …` in any language.
    init(connecting report: String) {
        let words = report.trimmedLines
        let states = words.matches(of: #/: +([0-9A-Z]{4}[0-9]): /#).map { String($0.output.1) }
        guard let state = states.last else {
            let code: Code =
                words.contains("session is") || words.contains("hot standby") ? .readOnly : .unreachable
            self.init(code, ["detail": words], retry: .after(.seconds(1)))
            return
        }
        self.init(sqlState: state, message: words)
    }
}

extension String {
    /// The text's lines joined by single spaces, without the blanks at both ends.
    var trimmedLines: String {
        split(whereSeparator: \.isNewline)
            .map { $0.drop(while: \.isWhitespace) }
            .joined(separator: " ")
    }
}
