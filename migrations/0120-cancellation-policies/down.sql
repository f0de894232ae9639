DROP TABLE cancellation_policies;
