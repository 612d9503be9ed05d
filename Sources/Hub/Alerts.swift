// SPDX-License-Identifier: Apache-2.0
// Tells people and programs what did not happen: a file that did not come, a job that was given up.

package import ConnectorKit
internal import Diagnostics
internal import FileTransfer
package import Jobs
package import Mail
package import Mapping
package import Model
package import PostgreSQL
internal import Schedule

/// Something that somebody must know.
package struct Alert: Sendable {
    /// What happened.
    package enum Kind: String, Sendable {
        /// Nothing was received by the time that the flow expects something.
        case late
        /// A job of the flow was given up.
        case failed
    }

    /// Its number.
    package let id: Int
    /// Name of the flow.
    package let flow: String
    /// The flow's current text.
    let flowText: String
    /// What happened.
    package let kind: Kind
    /// When it was expected, or given up.
    package let nominal: Timestamp
    /// When it was noticed.
    package let at: Timestamp
    /// The error of the job and its number.
    package let facts: JSONText
    /// When mail went out.
    package let mailedAt: Timestamp?
    /// When the webhook took it.
    package let postedAt: Timestamp?
}

/// Notices alerts and sends them.
package struct Alerts: Sendable {
    /// How an alert is said: subject and text.
    package typealias Wording = @Sendable (Alert) -> (subject: String, text: String)

    /// The password of the mail server.
    package static let mailSecret = Secret(name: "smtp")

    private static let kind = "alert"
    private let pool: Pool
    private let read: @Sendable (_ text: String, _ name: String) throws -> FlowDefinition
    private let secrets: Secrets
    private let mail: MailServer?
    private let wording: Wording

    /// - Parameter mail: nil where none is set up; mail then waits as a failing job.
    package init(
        pool: Pool, connectors: ConnectorRegistry, mappings: MappingShelf, secrets: Secrets,
        mail: MailServer?, wording: @escaping Wording
    ) {
        self.pool = pool
        self.secrets = secrets
        self.mail = mail
        self.wording = wording
        read = { text, name in
            try FlowDefinition.parse(
                text, file: name, connectors: connectors, mappings: try mappings.library())
        }
    }

    /// The latest alerts first.
    package static func list(limit: Int = 50, on connection: Connection) async throws -> [Alert] {
        try await connection.run(FindAlerts(id: nil, limit: limit))
    }

    // MARK: - Noticing

    /// Keeps what must be told up to `now`, with a job for each way of telling it.
    ///
    /// - Returns: how many jobs were made.
    static func tick(_ now: Timestamp, on connection: Connection) async throws -> Int {
        try await connection.transaction { connection in
            let due = try await connection.run(DueExpectations(now: now))
            if !due.isEmpty {
                try await connection.execute(
                    WriteExpectations(times: due.map { ($0.flow, $0.next(after: now)) }, now: now))
            }
            let late = due.filter { !$0.hasCome && !$0.isPaused }
            var kept =
                late.isEmpty ? [] : try await connection.run(KeepLate(late: late.map { ($0.flow, $0.due) }))
            kept += try await connection.run(KeepFailed())
            let jobs = kept.flatMap { key in ["mail", "webhook"].map { job(key, $0) } }
            try await JobQueue.enqueue(jobs, on: connection)
            return jobs.count
        }
    }

    private static func job(_ key: AlertKey, _ way: String) -> NewJob {
        var job = NewJob(kind)
        job.group = "alerts"
        job.payload = JSONText(facts: ["alert": String(key.id), "way": way])
        return job
    }

    // MARK: - Telling

    /// The handlers of its jobs, by their kind.
    package var handlers: [String: Worker.Handler] {
        [
            Self.kind: { running in
                try await tell(running)
                return nil
            }
        ]
    }

    /// Tells by the ways that the flow's current version names.
    private func tell(_ running: RunningJob) async throws {
        let facts = running.job.payload.objectOfTexts
        let id = facts["alert"].flatMap { Int($0) } ?? 0
        let found = try await pool.withConnection { try await $0.run(FindAlerts(id: id, limit: 1)) }
        guard let alert = found.first else { return }
        let alerts: FlowAlerts
        do {
            alerts = try read(alert.flowText, alert.flow).alerts
        } catch let error as FlowFaults {
            throw FlowError(error.faults.first ?? Diagnostic(code: "FLOW-CONNECTOR"))
        }
        let byMail = facts["way"] == "mail"
        if byMail ? alerts.mail.isEmpty : alerts.webhook == nil { return }
        try await byMail ? send(alert, to: alerts.mail) : post(alert, to: alerts)
        _ = try await pool.withConnection { connection in
            try await connection.execute(AlertTold(id: alert.id, byMail: byMail))
        }
    }

    private func send(_ alert: Alert, to recipients: [String]) async throws {
        guard let mail else { throw FlowError(.mailServer, ["flow": alert.flow]) }
        let (subject, text) = wording(alert)
        let message = MailMessage(
            id: "alert-\(alert.id)", recipients: recipients, subject: subject, text: text, at: alert.at)
        let opened = try await open(mail.needsPassword ? Self.mailSecret : nil)
        try await mail.send(message, password: opened ?? "")
    }

    /// Sends a message that tells nothing, to see whether it gets through.
    ///
    /// - Throws: what keeps it from that.
    package func test(
        _ server: MailServer, to recipient: String, subject: String, text: String, now: Timestamp
    ) async throws {
        let message = MailMessage(
            id: "test-\(now.microsecondsSince1970)", recipients: [recipient], subject: subject, text: text,
            at: now)
        let password = try await open(server.needsPassword ? Self.mailSecret : nil)
        try await server.send(message, password: password ?? "")
    }

    /// JSON, signed with the flow's secret: `sha256=` and the HMAC of the body in hexadecimal.
    private func post(_ alert: Alert, to alerts: FlowAlerts) async throws {
        guard let url = alerts.webhook else { return }
        let (subject, text) = wording(alert)
        let body = JSONText(facts: [
            "alert": String(alert.id), "flow": alert.flow, "kind": alert.kind.rawValue,
            "nominal_at": alert.nominal.description, "noticed_at": alert.at.description, "subject": subject,
            "text": text,
        ])
        let key = try await open(alerts.signedWith)
        try await Webhook.post(
            Array(body.text.utf8), to: url, key: key, idempotencyKey: "alert-\(alert.id)")
    }

    /// The value of a secret.
    private func open(_ secret: Secret?) async throws -> String? {
        guard let secret else { return nil }
        var asked = Settings([:])
        asked.secrets[secret.name] = secret
        let settings = asked
        return try await pool.withConnection { connection in
            try await secrets.open(settings, on: connection).secret(secret.name)
        }
    }
}

extension DueExpectations.Row {
    /// The next time that something is expected; nil for a schedule that this program cannot read.
    func next(after now: Timestamp) -> Timestamp? {
        guard let cron = try? CronExpression(cron) else { return nil }
        let holidays = holidays.flatMap { PublicHolidays(rawValue: $0) }
        return try? Schedule(cron, zone: zone, without: holidays).next(after: now)
    }
}
