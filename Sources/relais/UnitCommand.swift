// SPDX-License-Identifier: Apache-2.0
// `relais unit`: the hardened systemd unit of the daemon, for this program and this data folder.

internal import ArgumentParser
internal import Foundation
internal import Words

/// Writes a systemd unit.
struct UnitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unit", abstract: words("command.unit"), discussion: words("command.unit.discussion"))

    @OptionGroup var database: DatabaseOptions
    @Option(help: ArgumentHelp(words("option.user"), valueName: "USER"))
    var user = "relais"

    func run() {
        let program =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "relais"
        Console.print(Self.text(program: program, data: database.folder.path, user: user))
    }

    /// - Source: systemd.exec(5), systemd.service(5); `systemd-analyze security` rates what it leaves open.
    static func text(program: String, data: String, user: String) -> String {
        let state =
            data.hasPrefix("/var/lib/") && !data.dropFirst(9).contains("/")
            ? "StateDirectory=\(data.dropFirst(9))\nStateDirectoryMode=0700" : "ReadWritePaths=\(data)"
        return """
            # relais unit --data \(data) > /etc/systemd/system/relais.service
            # useradd --system --home-dir \(data) \(user)
            # systemctl daemon-reload && systemctl enable --now relais
            [Unit]
            Description=Relais, CRM core and data hub
            Wants=network-online.target
            After=network-online.target

            [Service]
            Type=notify
            User=\(user)
            ExecStart=\(program) serve --data \(data) --stop-within 30
            # The private PostgreSQL ends in order once the daemon has; without one this does nothing.
            ExecStopPost=-\(program) db stop --data \(data)
            KillMode=mixed
            TimeoutStopSec=90
            Restart=on-failure
            RestartSec=5
            \(state)
            # LoadCredential=relais-secret-key:/etc/relais/secret.key
            # Folders that files arrive in:
            # ReadWritePaths=/srv/erp
            UMask=0077
            NoNewPrivileges=yes
            CapabilityBoundingSet=
            AmbientCapabilities=
            ProtectSystem=strict
            ProtectHome=yes
            PrivateTmp=yes
            PrivateDevices=yes
            PrivateUsers=yes
            ProtectProc=invisible
            ProtectClock=yes
            ProtectHostname=yes
            ProtectKernelLogs=yes
            ProtectKernelModules=yes
            ProtectKernelTunables=yes
            ProtectControlGroups=yes
            RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
            RestrictNamespaces=yes
            RestrictRealtime=yes
            RestrictSUIDSGID=yes
            LockPersonality=yes
            SystemCallArchitectures=native
            SystemCallFilter=@system-service
            SystemCallFilter=~@privileged @resources
            SystemCallErrorNumber=EPERM

            [Install]
            WantedBy=multi-user.target
            """
    }
}
