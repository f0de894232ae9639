enum TicketKind { table, expert }
