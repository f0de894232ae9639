// The service is gone.
class Leftover {}
